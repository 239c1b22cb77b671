// SPDX-License-Identifier: GPL-2.0

//! Measures allocators call by call: each load with each allocator, in a process of
//! its own. Prints a line of JSON per figure, after "genp-bench: ".

mod buffer;
mod count;
mod load;
mod options;
mod overhead;
mod pressure;
mod result;
mod run;
mod stage;
mod subject;
mod trace;

use std::{fs, process::ExitCode, sync::OnceLock};

use load::Load;
use options::Options;
use run::Runner;
use trace::Trace;

/// Recorded traces, by name.
const TRACES: [(&str, &[u8]); 3] = [
    ("redis", include_bytes!("../../traces/redis.trace")),
    ("sqlite", include_bytes!("../../traces/sqlite.trace")),
    ("python", include_bytes!("../../traces/python.trace")),
];

fn traces() -> Result<&'static [(&'static str, Trace)], String> {
    static UNPACKED: OnceLock<Result<Vec<(&str, Trace)>, String>> = OnceLock::new();
    let unpacked = UNPACKED.get_or_init(|| {
        TRACES
            .iter()
            .map(|&(name, packed)| Ok((name, trace::unpack(packed)?)))
            .collect()
    });
    unpacked.as_deref().map_err(Clone::clone)
}

/// All loads by name, with members of their results.
fn loads() -> Result<Vec<(String, Load, String)>, String> {
    let mut loads = vec![];
    for size in [16, 64, 256, 1024, 4096, 65536] {
        loads.push((
            "heap_pair".into(),
            Load::Pair(size),
            format!(",\"size\":{size}"),
        ));
    }
    for size in [64, 1024] {
        let more = format!(",\"size\":{size},\"pairs_in_sample\":{}", stage::LOOP);
        loads.push(("heap_loop".into(), Load::Loop(size), more));
    }
    loads.push(("heap_fifo".into(), Load::Fifo, String::new()));
    loads.push(("heap_lifo".into(), Load::Lifo, String::new()));
    for fill in [10, 50, 90] {
        let more = format!(",\"pool\":{},\"fill\":{fill}", subject::POOL);
        loads.push(("heap_random".into(), Load::Random(fill), more));
    }
    loads.push(("heap_threads".into(), Load::Threads, String::new()));
    loads.push(("heap_burst".into(), Load::Burst, String::new()));
    for (name, trace) in traces()? {
        loads.push((
            format!("trace_{name}"),
            Load::Trace(trace),
            format!(",\"peak\":{}", trace.peak),
        ));
    }
    Ok(loads)
}

fn bench(options: &Options) -> Result<(), String> {
    let mut failed = 0;
    for (case, load, more) in loads()? {
        if !options.wants_case(&case) {
            continue;
        }
        let mut runner = Runner::new(&load, case, more, options);
        runner.run::<subject::Genp>();
        runner.run::<subject::Glibc>();
        runner.run::<subject::GlibcLocked>();
        runner.run::<subject::Jemalloc>();
        runner.run::<subject::Mimalloc>();
        runner.run::<subject::Rlsf>();
        runner.run::<subject::Offset>();
        runner.run::<subject::SmallTlsf>();
        runner.run::<subject::Nobody>();
        failed += runner.failed;
    }
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} measurements did not come to their end")),
    }
}

fn pack(from: &str, to: &str, most: &str) -> Result<(), String> {
    let most = most.parse().map_err(|_| "CALLS is no number")?;
    let raw = fs::read(from).map_err(|error| format!("{from}: {error}"))?;
    let packed = trace::pack(&raw, most);
    let trace = trace::unpack(&packed)?;
    fs::write(to, &packed).map_err(|error| format!("{to}: {error}"))?;
    println!("{}: {} bytes, {}", to, packed.len(), trace.describe());
    Ok(())
}

fn describe() -> Result<(), String> {
    for (name, trace) in traces()? {
        println!("{name}: {}", trace.describe());
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["pack", from, to, most] => pack(from, to, most),
        ["traces"] => describe(),
        ["overhead"] => traces().and_then(overhead::print),
        words => Options::read(words).and_then(|options| bench(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench_user: {error}");
            ExitCode::FAILURE
        }
    }
}
