// SPDX-License-Identifier: GPL-2.0

//! Results in KTAP, as the self-tests in C print them.

use std::{io::Write, process::ExitCode};

/// Why a test did not pass.
pub enum Fail {
    /// It cannot run here, for this reason.
    Skip(String),
    /// It failed, for this reason.
    Wrong(String),
}

/// Shorthand for a failure.
pub fn wrong(text: impl Into<String>) -> Fail {
    Fail::Wrong(text.into())
}

/// Shorthand for a test that cannot run.
pub fn skip(text: impl Into<String>) -> Fail {
    Fail::Skip(text.into())
}

/// A test: its name and its function. Ok has text for the log.
pub type Test<'a> = (&'a str, Box<dyn FnOnce() -> Result<String, Fail> + 'a>);

/// Runs the tests one after the other.
pub fn run(tests: Vec<Test<'_>>) -> ExitCode {
    let mut failed = false;
    println!("KTAP version 1\n1..{}", tests.len());
    for (number, (name, test)) in tests.into_iter().enumerate() {
        let number = number + 1;
        match test() {
            Ok(text) => {
                comment(&text);
                println!("ok {number} {name}");
            }
            Err(Fail::Skip(why)) => {
                comment(&format!("skipped: {why}"));
                println!("ok {number} {name} # SKIP");
            }
            Err(Fail::Wrong(what)) => {
                failed = true;
                comment(&what);
                println!("not ok {number} {name}");
            }
        }
        let _ = std::io::stdout().flush();
    }
    ExitCode::from(u8::from(failed))
}

/// Prints comment lines.
pub fn comment(text: &str) {
    for line in text.lines() {
        println!("# {line}");
    }
    let _ = std::io::stdout().flush();
}
