// SPDX-License-Identifier: GPL-2.0

//! Text for stdout.

use std::io::{self, ErrorKind, Write};

use crate::problem::Problem;

/// Writes to stdout. Exits without a message if the reader closed it.
pub fn print(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Problem::new(
            "cannot write to stdout",
            error,
            "See where the output goes: is there room, may it be written?",
        )),
    }
}
