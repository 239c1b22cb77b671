// SPDX-License-Identifier: GPL-2.0

//! Generates what Kbuild generates for the module, from the same headers: its interfaces
//! and the declarations of its C side. The kernel's headers are the few lines in `include/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const COMMON: [&str; 10] = [
    "--rust-target",
    "1.85",
    "--use-core",
    "--no-layout-tests",
    "--no-doc-comments",
    "--no-debug",
    ".*",
    "--enable-function-attribute-detection",
    "--ctypes-prefix",
    "kernel::ffi",
];

/// The numbers of the commands, which bindgen cannot compute.
fn numbers(header: &str) -> String {
    header
        .lines()
        .filter_map(|line| {
            let mut words = line.strip_prefix("#define GENP_")?.split_whitespace();
            let name = words.next()?;
            let value = words.next()?;
            (value.starts_with("_IO") && value.contains("(GENP_IOC_MAGIC,"))
                .then(|| format!("static const __u32 GENP_NR_{name} = _IOC_NR(GENP_{name});\n"))
        })
        .collect()
}

fn bindgen(header: &Path, out: &Path, only: &[&str], include: &[&Path]) {
    let mut command = Command::new("bindgen");
    command
        .arg(header)
        .args(COMMON)
        .args(only)
        .arg("-o")
        .arg(out)
        .arg("--");
    command.args(["-w", "-nostdinc", "-D__KERNEL__", "-fno-builtin"]);
    for dir in include {
        command.arg("-I").arg(dir);
    }
    match command.status() {
        Ok(status) if status.success() => {}
        other => panic!("bindgen did not read {} ({other:?})", header.display()),
    }
}

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let top = here.join("../../..");
    let (sys, include, stubs) = (
        top.join("genp/sys"),
        top.join("include"),
        here.join("include"),
    );
    let header = include.join("uapi/linux/genp.h");
    let text = fs::read_to_string(&header).expect("the header of the ABI can be read");
    fs::write(out.join("ioctl_numbers_generated.h"), numbers(&text))
        .expect("OUT_DIR can be written to");
    let dirs: [&Path; 4] = [&stubs, &include, &sys, &out];
    let abi = [
        "--with-derive-default",
        "--allowlist-type",
        "genp_.*|gen_pool",
        "--allowlist-var",
        "GENP_.*",
    ];
    bindgen(
        &sys.join("abi.h"),
        &out.join("abi_generated.rs"),
        &abi,
        &dirs,
    );
    let glue = [
        "--blocklist-type",
        ".*",
        "--allowlist-function",
        "(devm_|call_)?genp_.*",
    ];
    bindgen(
        &sys.join("glue.h"),
        &out.join("glue_generated.rs"),
        &glue,
        &dirs,
    );
    for dir in [&sys, &include, &stubs] {
        println!("cargo:rerun-if-changed={}", dir.display());
    }
    println!("cargo:rustc-env=GENP_GENERATED={}", out.display());
    println!("cargo:rustc-cfg=GENP_SIM");
    println!("cargo:rustc-cfg=CONFIG_LOCKDEP");
}
