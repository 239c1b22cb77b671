// SPDX-License-Identifier: GPL-2.0

//! Problems as messages for people.

use std::{fmt, io};

/// Why a command failed: what failed, the cause, and advice.
#[derive(Debug)]
pub struct Problem {
    what: String,
    found: String,
    advice: String,
}

impl Problem {
    /// A problem, in its three parts.
    pub fn new(what: impl Into<String>, found: impl ToString, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            found: found.to_string(),
            advice: advice.into(),
        }
    }

    /// The same problem, of this.
    pub fn of(self, whose: &str) -> Self {
        Self {
            what: format!("{whose}: {}", self.what),
            ..self
        }
    }

    /// Opening the partition `name` failed; the device was there a moment ago.
    pub fn opening(name: &str, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => {
                "No partition has this name now: 'genpctl list' shows those there are."
            }
            io::ErrorKind::PermissionDenied => {
                "Its creator lets others in with 'genpctl create --mode'; or run this as its user or as root."
            }
            _ => "See whether the limits on open files are reached (ulimit -n).",
        };
        Self::new(format!("cannot open partition {name}"), error, advice)
    }

    /// A request to the open partition `name` failed.
    pub fn asking(name: &str, error: &io::Error) -> Self {
        Self::new(
            format!("partition {name} does not answer"),
            error,
            "The module and genpctl may be of different versions: build both from one tree.",
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.found)?;
        for line in self.advice.lines() {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn a_problem_says_what_was_found_and_what_to_do() {
        let problem = Problem::new("cannot eat", "no bread", "Bake some.\nOr buy it.");
        assert_eq!(
            problem.to_string(),
            "cannot eat: no bread\n  Bake some.\n  Or buy it."
        );
    }
}
