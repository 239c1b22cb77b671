// SPDX-License-Identifier: GPL-2.0

//! What GenP needs for itself: the size of the module, the memory taken beside the pool,
//! the memory of a partition, a region and a page of a reserve; and the time to load and
//! to unload. Unloads and loads genp.ko, in a guest, as root; prints figures.

mod elf;
mod figure;
mod memory;
mod module;
mod partitions;

use std::process::ExitCode;

use figure::{bytes, figure, Result};
use stats::Meter;

const USAGE: &str = "usage: bench_scale [MODULE [POOL_MIB...]]";

const MODULE: &str = "/lib/genp.ko";
const POOLS_MIB: [u64; 4] = [64, 256, 512, 1024];
const MIB: u64 = 1 << 20;

/// How often the module is loaded with each pool.
const LOADS: usize = 5;

/// Prints the sizes of the sections of the module.
fn measure_module(meter: &Meter, path: &str) -> Result<()> {
    let sizes = elf::sizes(path)?;
    for (case, size) in [
        ("module_text", sizes.text),
        ("module_constants", sizes.constants),
        ("module_data", sizes.data),
        ("module_init", sizes.init),
    ] {
        bytes(meter, case, vec![size]).print();
    }
    Ok(())
}

/// Loads and unloads with one size of the pool. The memory that is taken beside the pool
/// includes the module itself, its threads, and the tables that parameters set the size of.
fn measure_pool(meter: &Meter, path: &str, pool: u64) -> Result<()> {
    let parameters = format!("pool_mib={}", pool / MIB);
    let (mut loads, mut unloads, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..LOADS {
        let before = memory::free()?;
        let begin = meter.read();
        module::load(path, &parameters)?;
        loads.push(meter.read() - begin);
        let taken = before.saturating_sub(memory::free()?);
        beside.push(taken.saturating_sub(pool));
        let begin = meter.read();
        module::unload()?;
        unloads.push(meter.read() - begin);
    }
    for (case, samples) in [("load", loads), ("unload", unloads)] {
        figure(meter, case)
            .with("pool", pool)
            .spread(samples)
            .print();
    }
    bytes(meter, "metadata", beside).with("pool", pool).print();
    Ok(())
}

fn measure(meter: &Meter, path: &str, pools: &[u64]) -> Result<()> {
    measure_module(meter, path)?;
    module::unload()?;
    // The first load fills caches of the kernel, which are not of the pool.
    module::load(path, "pool_mib=16")?;
    module::unload()?;
    for &pool in pools {
        // The pool, and room for the tables.
        if memory::free()? < pool + pool / 8 {
            let note = "the machine has not so much memory";
            let refused = figure(meter, "load").with("pool", pool).with("refused", 1);
            refused.with("note", note).print();
            continue;
        }
        measure_pool(meter, path, pool)?;
    }
    module::load(path, &format!("pool_mib={}", partitions::POOL_MIB))?;
    partitions::measure(meter)
}

/// Arguments: the module's file, and pools in bytes.
fn read(words: &[String]) -> Option<(String, Vec<u64>)> {
    let path = words.first().map_or(MODULE, String::as_str).to_string();
    let pools = words.iter().skip(1).map(|word| match word.parse() {
        Ok(mib @ 1..=4_194_304u64) => Some(mib * MIB),
        _ => None,
    });
    let pools: Vec<u64> = pools.collect::<Option<_>>()?;
    let all = || POOLS_MIB.map(|mib| mib * MIB).to_vec();
    Some((path, if pools.is_empty() { all() } else { pools }))
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((path, pools)) = read(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match measure(&Meter::find(), &path, &pools) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("FAILED {why}");
            ExitCode::FAILURE
        }
    }
}
