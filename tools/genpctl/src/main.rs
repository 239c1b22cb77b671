// SPDX-License-Identifier: GPL-2.0

//! genpctl: shows GenP's pool and partitions, creates and destroys partitions.

mod admission;
mod apply;
mod blocks;
mod bounds;
mod child;
mod cli;
mod create;
mod destroy;
#[cfg(test)]
mod documents;
mod histogram;
mod interrupt;
mod latency;
mod list;
mod manual;
mod operation;
mod order;
mod output;
mod partitions;
mod plan;
mod pool;
mod problem;
mod record;
mod rights;
mod run;
mod size;
mod stat;
mod stock;
mod suggest;
mod sysfs;
mod table;
mod time;
mod top;
mod values;
mod watch;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use cli::{Cli, Command};
use output::Format;
use problem::Problem;

/// Runs the command of the command line.
fn run(cli: &Cli) -> Result<ExitCode, Problem> {
    let format = Format::of(cli.json);
    match &cli.command {
        Command::Info => pool::run(format)?,
        Command::List => list::run(format)?,
        Command::Top(args) => top::run(args, format)?,
        Command::Create(args) => create::run(args, format)?,
        Command::Run(args) => return Ok(run::run(args)),
        Command::Record(args) => return Ok(record::run(args)),
        Command::Suggest(args) => return suggest::run(args, format),
        Command::Stat(args) => stat::run(&args.name, format)?,
        Command::Bounds(args) => bounds::run(args, format)?,
        Command::Histogram(args) => histogram::run(args, format)?,
        Command::Destroy(args) => destroy::run(&args.name, format)?,
        Command::Admission(args) => return admission::run(args, format),
        Command::Plan(args) => return plan::run(args, format),
        Command::Apply(args) => apply::run(args, format)?,
        Command::Stock(args) => return stock::run(args, format),
        Command::Watch(args) => watch::run(args, format)?,
        Command::Latency(args) => latency::run(args, format)?,
        Command::Completion(args) => manual::completion(args.shell)?,
        Command::Man(args) => manual::pages(args.dir.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Exits with 0, with 1 and a problem on stderr, or with 2 for wrong usage.
fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(status) => status,
        Err(problem) => {
            // If stderr is closed, the status is all there is.
            let _ = writeln!(io::stderr(), "genpctl: {problem}");
            ExitCode::FAILURE
        }
    }
}
