// SPDX-License-Identifier: GPL-2.0

//! genp-wcet: the most instructions that a call of each entry point of genp.ko can take,
//! from its machine code. Documentation/worst-case.rst says what such a bound means.

mod bounds;
mod counts;
mod decode;
mod entries;
mod graph;
mod image;
mod lines;
mod longest;
mod loops;
mod page;
mod patched;
mod path;
mod problem;
mod settings;
mod shares;
mod source;
mod table;
mod turns;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use counts::Counts;
use entries::Entries;
use problem::Result;
use settings::Settings;
use table::{Line, Module};

/// The most instructions of each entry point of genp.ko, from its machine code
#[derive(Parser)]
#[command(name = "genp-wcet")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare all bounds with what was counted; status 1 if one is missing or wrong
    Check {
        #[command(flatten)]
        inputs: Inputs,
        /// The counts of scripts/guard
        #[arg(long)]
        counts: PathBuf,
        /// A page whose tables must be those of now
        #[arg(long)]
        page: Option<PathBuf>,
    },
    /// Write the tables of a page
    Page {
        #[command(flatten)]
        inputs: Inputs,
        #[arg(long)]
        counts: PathBuf,
        page: PathBuf,
    },
    /// Show the longest path of a function
    Path {
        #[command(flatten)]
        inputs: Inputs,
        function: String,
        /// A function that is not called
        #[arg(long)]
        never: Vec<String>,
        /// Another value of a parameter, as in lease_pages=1
        #[arg(long, value_parser = parameter)]
        with: Vec<(String, u64)>,
    },
    /// Compare the bounds of the kernel's functions with what scripts/bench counted
    Callees {
        #[command(flatten)]
        inputs: Inputs,
        results: PathBuf,
    },
}

#[derive(Args)]
struct Inputs {
    /// The module
    #[arg(long)]
    module: PathBuf,
    /// The top of its source
    #[arg(long, default_value = ".")]
    source: PathBuf,
    /// The directory with callees.toml and entries.toml
    #[arg(long, default_value = "tools/wcet")]
    settings: PathBuf,
}

impl Inputs {
    fn settings(&self) -> Result<Settings> {
        Settings::read(&self.settings.join("callees.toml"))
    }

    fn entries(&self) -> Result<Entries> {
        Entries::read(&self.settings.join("entries.toml"))
    }

    /// Does something with all that was read.
    fn with<T>(&self, what: impl FnOnce(&Module<'_>) -> Result<T>) -> Result<T> {
        let settings = self.settings()?;
        let image = image::Image::read(&self.module)?;
        let source = source::Source::read(&self.source, &settings.parameters)?;
        what(&Module {
            image: &image,
            decode: &decode::Decode::new(&image, &settings.endless)?,
            lines: &lines::Lines::read(&image, &self.source)?,
            source: &source,
            settings: &settings,
        })
    }
}

fn verdict(good: bool, what: &str, detail: &str) -> bool {
    let sign = if good { "ok" } else { "not ok" };
    println!("{sign} {what}: {detail}");
    good
}

/// The lines that have a bound; prints what is wrong with others.
fn lines<'e>(
    module: &Module<'_>,
    entries: &'e Entries,
    counts: &Counts,
    all: &mut bool,
) -> Vec<Line<'e>> {
    let mut lines = Vec::new();
    for row in &entries.rows {
        match module.line(row, counts) {
            Ok(line) => lines.push(line),
            Err(reasons) => {
                *all &= verdict(false, &row.what, &Vec::from_iter(reasons).join("\n    "))
            }
        }
    }
    lines
}

fn check(inputs: &Inputs, counts: &Counts, page: Option<&PathBuf>) -> Result<bool> {
    let entries = inputs.entries()?;
    inputs.with(|module| {
        let mut all = true;
        let lines = lines(module, &entries, counts, &mut all);
        for line in &lines {
            let fault = line.fault();
            let counted = line.counted.map_or_else(
                || "not counted".to_owned(),
                |count| format!("counted {count}"),
            );
            let fine = format!(
                "at most {}, comparable {}, {counted}",
                line.bound, line.comparable
            );
            all &= verdict(
                fault.is_none(),
                &line.row.what,
                fault.as_ref().unwrap_or(&fine),
            );
        }
        for (what, why) in module.gaps(&entries) {
            all &= verdict(false, &what, &why);
        }
        for name in counts.names() {
            let left_out = entries.without.iter().flat_map(|without| &without.counts);
            let mut starts = entries
                .rows
                .iter()
                .flat_map(|row| &row.counts)
                .chain(left_out);
            if !starts.any(|start| name.starts_with(&**start)) {
                all &= verdict(false, name, "is counted, but no line of the table has it");
            }
        }
        if let Some(page) = page {
            let current = page::is_current(page, &page::block(&lines, module.settings, &entries))?;
            let detail = if current {
                "has these tables"
            } else {
                "has other tables: scripts/worst-case update"
            };
            all &= verdict(current, &page.display().to_string(), detail);
        }
        Ok(all)
    })
}

fn callees(inputs: &Inputs, results: &Path) -> Result<bool> {
    let settings = inputs.settings()?;
    let source = source::Source::read(&inputs.source, &settings.parameters)?;
    let mut all = true;
    for (name, count) in counts::callees(results)? {
        all &= match settings.callee(&name, &source.constants) {
            Ok(bound) => verdict(
                count <= bound,
                &name,
                &format!("counted {count}, at most {bound}"),
            ),
            Err(reason) => verdict(false, &name, &reason),
        };
    }
    Ok(all)
}

fn parameter(text: &str) -> Result<(String, u64)> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is expected")?;
    let value = value.parse().map_err(problem::about(text))?;
    Ok((name.to_owned(), value))
}

fn run(command: &Command) -> Result<bool> {
    match command {
        Command::Check {
            inputs,
            counts,
            page,
        } => check(inputs, &Counts::read(counts)?, page.as_ref()),
        Command::Page {
            inputs,
            counts,
            page,
        } => {
            let (entries, counts) = (inputs.entries()?, Counts::read(counts)?);
            inputs.with(|module| {
                let mut all = true;
                let lines = lines(module, &entries, &counts, &mut all);
                if all {
                    page::write(page, &page::block(&lines, module.settings, &entries))?;
                }
                Ok(all)
            })
        }
        Command::Path {
            inputs,
            function,
            never,
            with,
        } => {
            let with = with.iter().cloned().collect();
            inputs.with(|module| path::show(module, function, never, &with))
        }
        Command::Callees { inputs, results } => callees(inputs, results),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("genp-wcet: {problem}");
            ExitCode::from(2)
        }
    }
}
