// SPDX-License-Identifier: GPL-2.0

//! Fuzzes the ioctls and their environment, and compares the results with a model.
//!
//! Without arguments it runs as a self-test and prints KTAP. With `--seconds` or
//! `--cases` it runs for as long, and mutates cases that reach new code of the module
//! if the kernel has KCOV. `--program` and `--replay` run one case again.

mod actor;
mod campaign;
mod kcov;
mod late;
mod model;
mod program;
mod request;
mod runner;
mod shrink;
mod step;
mod wire;
mod world;

use std::process::ExitCode;

use campaign::{Campaign, Plan};
use harness::ktap;
use program::Program;
use step::{Case, Mode};

const USAGE: &str = "usage: genp_fuzz [--seed N] [--steps N] [--seconds N | --cases N] \
[--mode serial|storm|both] [--points 1] | --program PROGRAM | --replay FILE";

/// What the command line asks for.
enum Command {
    SelfTest,
    Campaign(Plan),
    Case(Case),
}

fn parse(words: &[String]) -> Result<Command, String> {
    let mut plan = Plan::default();
    let mut asked = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{value} is not a number\n{USAGE}"))
        };
        match word.as_str() {
            "--seed" => plan.seed = number()?,
            "--steps" => plan.steps = number()?.clamp(1, 100_000) as usize,
            "--seconds" => (plan.seconds, asked) = (number()?, true),
            "--cases" => (plan.cases, asked) = (number()?, true),
            "--points" => plan.shows_points = number()? != 0,
            "--mode" => {
                plan.modes = match value.as_str() {
                    "serial" => &[Mode::Serial],
                    "storm" => &[Mode::Storm],
                    "both" => &[Mode::Serial, Mode::Storm],
                    _ => return Err(USAGE.into()),
                }
            }
            "--program" => {
                let program = Program::parse(value).ok_or("this is not a program")?;
                return Ok(Command::Case(program.make()));
            }
            "--replay" => {
                let text = std::fs::read_to_string(value).map_err(|e| format!("{value}: {e}"))?;
                let case: Case = text.parse()?;
                if !model::fits(&case) {
                    return Err("the case has actors or slots that do not exist".into());
                }
                return Ok(Command::Case(case));
            }
            _ => return Err(USAGE.into()),
        }
    }
    Ok(if asked {
        Command::Campaign(plan)
    } else {
        Command::SelfTest
    })
}

fn self_test() -> ExitCode {
    let cases = if harness::machine::is_user_mode() {
        30
    } else {
        8
    };
    let test = |mode: &'static [Mode], seed| {
        move || {
            let plan = Plan {
                seed,
                cases,
                // Whichever limit comes first: a busy machine runs fewer cases.
                seconds: 8,
                modes: mode,
                ..Plan::default()
            };
            Campaign::new(plan)
                .and_then(|campaign| campaign.run())
                .map_err(ktap::wrong)
        }
    };
    ktap::run(vec![
        (
            "each_answer_is_as_predicted",
            Box::new(test(&[Mode::Serial], 1)),
        ),
        (
            "nothing_is_lost_or_shared_in_a_storm",
            Box::new(test(&[Mode::Storm], 2)),
        ),
    ])
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match parse(&words) {
        Ok(Command::SelfTest) => return self_test(),
        Ok(Command::Campaign(plan)) => {
            Campaign::new(plan.loud()).and_then(|campaign| campaign.run())
        }
        Ok(Command::Case(case)) => campaign::replay(&case),
        Err(text) => Err(text),
    };
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            println!("FAILED {text}");
            ExitCode::FAILURE
        }
    }
}
