// SPDX-License-Identifier: GPL-2.0

//! Runs a target. As libFuzzer's program, which scripts/fuzz-core makes of it, it takes
//! the target from GENP_TARGET and libFuzzer's options; otherwise it runs the cases in
//! files again.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzer {
    use std::{env, slice, sync::OnceLock};

    use genp_fuzz_core::{target, Target};

    static TARGET: OnceLock<Target> = OnceLock::new();

    fn named() -> Target {
        let name = env::var("GENP_TARGET").unwrap_or_default();
        target(&name).unwrap_or_else(|| panic!("GENP_TARGET={name}: no such target"))
    }

    /// What libFuzzer calls with each case.
    ///
    /// # Safety
    ///
    /// `data` points to `size` bytes.
    #[no_mangle]
    pub unsafe extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
        let bytes = match size {
            0 => &[],
            // SAFETY: by the contract of this function.
            size => unsafe { slice::from_raw_parts(data, size) },
        };
        TARGET.get_or_init(named)(bytes);
        0
    }
}

#[cfg(not(fuzzing))]
fn main() -> Result<(), String> {
    let mut words = std::env::args().skip(1);
    let usage = "usage: genp_fuzz_core TARGET FILE...";
    let target = words.next().and_then(|name| genp_fuzz_core::target(&name));
    let target = target.ok_or(usage)?;
    for file in words {
        let bytes = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
        target(&bytes);
        println!("{file}: nothing was wrong");
    }
    Ok(())
}
