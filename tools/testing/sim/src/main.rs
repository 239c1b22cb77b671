// SPDX-License-Identifier: GPL-2.0

//! Simulates the module, seed by seed, until one fails or the time is over.

mod shrink;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use genp_sim::{
    case::Case,
    run::{run, Sum},
};

static SEED: AtomicU64 = AtomicU64::new(0);

/// What the command line asks for.
struct Plan {
    seed: u64,
    stride: u64,
    cases: u64,
    seconds: u64,
    trace: bool,
    /// Steps that are left out.
    without: Vec<(usize, usize)>,
    shrinks: bool,
}

const USAGE: &str =
    "usage: genp_simulate [--seed N] [--stride N] [--cases N] [--minutes N | --seconds N] \
[--trace 1] [--without FROM-TO,...] [--shrink 0]";

fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    let range = |word: &str| {
        let (from, to) = word.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    text.split(',').map(range).collect()
}

fn parse(words: &[String]) -> Option<Plan> {
    let mut plan = Plan {
        seed: 1,
        stride: 1,
        cases: u64::MAX,
        seconds: u64::MAX,
        trace: false,
        without: Vec::new(),
        shrinks: true,
    };
    for pair in words.chunks(2) {
        let [name, value] = pair else { return None };
        if name == "--without" {
            plan.without = ranges(value)?;
            continue;
        }
        let number = value.parse::<u64>().ok()?;
        match name.as_str() {
            "--seed" => plan.seed = number,
            "--stride" => plan.stride = number.max(1),
            "--cases" => plan.cases = number,
            "--minutes" => plan.seconds = number * 60,
            "--seconds" => plan.seconds = number,
            "--trace" => plan.trace = number != 0,
            "--shrink" => plan.shrinks = number != 0,
            _ => return None,
        }
    }
    Some(plan)
}

/// Reports a violation, and looks for fewer steps that lead to one.
fn failed(what: &str) -> ! {
    let seed = SEED.load(Relaxed);
    println!("FAILED seed {seed}: {what}");
    if SHRINKS.load(Relaxed) {
        let without = shrink::shrink(seed);
        println!("To see it again: genp_simulate --seed {seed} --cases 1 --trace 1{without}");
    }
    std::process::exit(1);
}

static SHRINKS: AtomicBool = AtomicBool::new(true);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(plan) = parse(&words) else {
        println!("{USAGE}");
        return ExitCode::FAILURE;
    };
    SHRINKS.store(plan.shrinks && plan.without.is_empty(), Relaxed);
    std::panic::set_hook(Box::new(|info| failed(&info.to_string())));
    kernel::sim::trace::on_failure(failed);
    kernel::sim::trace::enable(plan.trace);
    let begin = Instant::now();
    let mut sum = Sum::default();
    let mut done = 0;
    while done < plan.cases && begin.elapsed().as_secs() < plan.seconds {
        let seed = plan.seed + done * plan.stride;
        SEED.store(seed, Relaxed);
        sum.add(&run(Case::new(seed).without(&plan.without)));
        done += 1;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "simulated operations={} predicted={} refused={} injected={} deaths={} memory_errors={} interrupts={} switches={} calibrations={} cases={done} seconds={seconds:.0}",
        sum.calls, sum.predicted, sum.refused, sum.starved, sum.deaths, sum.memory_errors, sum.interrupts, sum.switches,
        sum.calibrations
    );
    println!(
        "{:.0} operations a minute",
        sum.calls as f64 / seconds * 60.0
    );
    ExitCode::SUCCESS
}
