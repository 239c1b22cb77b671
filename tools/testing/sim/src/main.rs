// SPDX-License-Identifier: GPL-2.0

//! Simulates the module: `genp_simulate --seed N --cases N --minutes N`.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use genp_sim::{
    case::Case,
    run::{run, Sum},
};

static SEED: AtomicU64 = AtomicU64::new(0);

fn failed(what: &str) -> ! {
    let seed = SEED.load(Relaxed);
    println!("FAILED seed {seed}: {what}");
    println!("To run it again: genp_simulate --seed {seed} --cases 1 --trace 1");
    std::process::exit(1);
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut seed, mut cases, mut seconds) = (1u64, u64::MAX, u64::MAX);
    let mut trace = false;
    for pair in words.chunks(2) {
        let [name, value] = pair else { return usage() };
        let Ok(number) = value.parse::<u64>() else { return usage() };
        match name.as_str() {
            "--seed" => seed = number,
            "--cases" => cases = number,
            "--minutes" => seconds = number * 60,
            "--seconds" => seconds = number,
            "--trace" => trace = number != 0,
            _ => return usage(),
        }
    }
    std::panic::set_hook(Box::new(|info| failed(&info.to_string())));
    kernel::sim::trace::on_failure(failed);
    kernel::sim::trace::enable(trace);
    let begin = Instant::now();
    let mut sum = Sum::default();
    let mut done = 0;
    while done < cases && begin.elapsed().as_secs() < seconds {
        SEED.store(seed + done, Relaxed);
        sum.add(&run(Case::new(seed + done)));
        done += 1;
    }
    let secs = begin.elapsed().as_secs_f64();
    println!("{sum:?}");
    println!("{done} cases, {} operations in {secs:.1} s, {:.0} a minute", sum.calls, sum.calls as f64 / secs * 60.0);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    println!("usage: genp_simulate [--seed N] [--cases N] [--minutes N | --seconds N] [--trace 1]");
    ExitCode::FAILURE
}
