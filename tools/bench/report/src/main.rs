// SPDX-License-Identifier: GPL-2.0

//! genp-bench: generates the performance page from what `scripts/bench` measured, and
//! compares two of its runs.

mod axis;
mod chart;
mod compare;
mod data_sheet;
mod fit;
mod labels;
mod page;
mod picture;
mod query;
mod rows;
mod rst;
mod run;
mod svg;
mod tables;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use run::{Result, Run};

/// Tables and pictures of what was measured, and comparisons of runs
#[derive(Parser)]
#[command(name = "genp-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the performance page and its pictures
    Page {
        /// What scripts/bench wrote
        results: PathBuf,
        /// The directory of the page
        #[arg(long)]
        out: PathBuf,
    },
    /// Show what changed between two runs; status 1 if anything grew too much
    Compare {
        old: PathBuf,
        new: PathBuf,
        #[command(flatten)]
        options: compare::Options,
    },
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Page { results, out } => {
            page::write(&Run::read(&results)?, &out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Compare { old, new, options } => {
            let compared = compare::compare(&Run::read(&old)?, &Run::read(&new)?, &options);
            print!("{}", compared.text);
            Ok(ExitCode::from(u8::from(compared.grew)))
        }
    }
}

fn main() -> ExitCode {
    run(Arguments::parse().command).unwrap_or_else(|why| {
        eprintln!("genp-bench: {why}");
        ExitCode::from(2)
    })
}
