// SPDX-License-Identifier: GPL-2.0

//! genpctl: shows GenP's pool and partitions, creates and destroys partitions.

mod admission;
mod bounds;
mod cli;
mod create;
mod destroy;
mod histogram;
mod interrupt;
mod list;
mod operation;
mod output;
mod plan;
mod pool;
mod problem;
mod size;
mod stat;
mod stock;
mod sysfs;
mod table;
mod time;
mod watch;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use cli::{Cli, Command};
use problem::Problem;

/// Runs the command of the command line.
fn run(command: &Command) -> Result<ExitCode, Problem> {
    match command {
        Command::Info => pool::run()?,
        Command::List => list::run()?,
        Command::Create(args) => create::run(args)?,
        Command::Stat(args) => stat::run(&args.name)?,
        Command::Bounds(args) => bounds::run(args)?,
        Command::Histogram(args) => histogram::run(args)?,
        Command::Destroy(args) => destroy::run(&args.name)?,
        Command::Admission(args) => return admission::run(args),
        Command::Plan(args) => return plan::run(args),
        Command::Stock(args) => return stock::run(args),
        Command::Watch(args) => watch::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Exits with 0, with 1 and a problem on stderr, or with 2 for wrong usage.
fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(status) => status,
        Err(problem) => {
            // If stderr is closed, the status is all there is.
            let _ = writeln!(io::stderr(), "genpctl: {problem}");
            ExitCode::FAILURE
        }
    }
}
