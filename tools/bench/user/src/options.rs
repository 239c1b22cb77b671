// SPDX-License-Identifier: GPL-2.0

//! The options.

const USAGE: &str = "\
usage: bench_user [--machine NAME] [--pairs N] [--case NAME]... [--subject NAME]... [--pressure]
       bench_user pack RAW TRACE CALLS
       bench_user traces
NAME of a machine: icount, um1, um2, native, tcg; by default $GENP_BENCH_MACHINE or native";

/// Options of a run.
#[derive(Debug)]
pub struct Options {
    pub machine: String,
    /// Measured pairs of each synthetic load.
    pub pairs: usize,
    cases: Vec<String>,
    subjects: Vec<String>,
    /// With memory used up and hogs on the processors.
    pub pressure: bool,
}

impl Options {
    pub fn read(words: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            machine: std::env::var("GENP_BENCH_MACHINE").unwrap_or_else(|_| "native".into()),
            pairs: 10_000,
            cases: vec![],
            subjects: vec![],
            pressure: false,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().map(|word| (*word).to_string()).ok_or(USAGE);
            match word {
                "--machine" => options.machine = value()?,
                "--pairs" => options.pairs = value()?.parse().map_err(|_| USAGE)?,
                "--case" => options.cases.push(value()?),
                "--subject" => options.subjects.push(value()?),
                "--pressure" => options.pressure = true,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    pub fn wants_case(&self, name: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|case| case == name)
    }

    pub fn wants_subject(&self, name: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|subject| subject == name)
    }
}
