// SPDX-License-Identifier: GPL-2.0

//! genpctl: looks at GenP's pool and its partitions, and makes and ends them.

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

/// Carries out what the command line says.
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
        Command::Stock(args) => return stock::run(args),
        Command::Watch(args) => watch::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends with 0, with 1 and a problem on stderr, or with 2 for wrong usage.
fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(status) => status,
        Err(problem) => {
            // Who cannot be told still gets the status.
            let _ = writeln!(io::stderr(), "genpctl: {problem}");
            ExitCode::FAILURE
        }
    }
}
