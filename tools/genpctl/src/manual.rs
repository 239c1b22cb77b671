// SPDX-License-Identifier: GPL-2.0

//! The completion of shells and the manual pages, made from the command line itself.

use std::{io, path::Path};

use clap::CommandFactory;
use clap_complete::{generate, Shell};
use clap_mangen::Man;

use crate::{cli::Cli, output, problem::Problem};

/// The name of the program.
const PROGRAM: &str = "genpctl";

/// `genpctl completion`.
pub fn completion(shell: Shell) -> Result<(), Problem> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), PROGRAM, &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// A page could not be made.
fn unwritten(what: &str, error: &io::Error) -> Problem {
    Problem::new(
        what,
        error,
        "Give a directory that exists and that you may write to, with room on it.",
    )
}

/// `genpctl man`: the page of the program on stdout, or all pages as files.
pub fn pages(directory: Option<&Path>) -> Result<(), Problem> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(Cli::command())
            .render(&mut page)
            .map_err(|error| unwritten("cannot make the page", &error))?;
        return output::print(&String::from_utf8_lossy(&page));
    };
    let what = format!("cannot write pages to {}", directory.display());
    clap_mangen::generate_to(Cli::command(), directory).map_err(|error| unwritten(&what, &error))
}
