// SPDX-License-Identifier: GPL-2.0

//! What a command prints: text for people, or JSON for programs.

use std::io::{self, ErrorKind, Write};

use serde_json::Value;

use crate::problem::Problem;

/// For whom it is printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Format {
    /// People.
    Text,
    /// Programs: a JSON document on a line.
    Json,
}

impl Format {
    /// The format that the command line asks for.
    pub fn of(json: bool) -> Self {
        match json {
            true => Self::Json,
            false => Self::Text,
        }
    }

    /// The document as a line, or the text.
    pub fn choose(self, document: impl FnOnce() -> Value, text: impl FnOnce() -> String) -> String {
        match self {
            Self::Json => format!("{}\n", document()),
            Self::Text => text(),
        }
    }

    /// Writes one of both to stdout.
    pub fn print(
        self,
        document: impl FnOnce() -> Value,
        text: impl FnOnce() -> String,
    ) -> Result<(), Problem> {
        print(&self.choose(document, text))
    }
}

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
