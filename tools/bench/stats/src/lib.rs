// SPDX-License-Identifier: GPL-2.0

//! Figures: the results of a program, one JSON object per line.
//!
//! The lines begin with [`MARKER`], so that they are found in the output of a guest.
//! `scripts/bench` collects them, `genp-bench` makes tables and pictures of
//! them.

pub mod meter;
pub mod spread;

use std::io::Write;

use serde_json::{Map, Value};

pub use meter::Meter;
pub use spread::Spread;

/// The start of a line with a figure.
pub const MARKER: &str = "genp-bench: ";

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure(Map<String, Value>);

impl Figure {
    /// A figure of `subject` doing `case`, taken with `meter`.
    pub fn new(meter: &Meter, group: &str, case: &str, subject: &str) -> Self {
        let empty = Self(Map::new());
        let named = empty.with("group", group).with("case", case);
        let whose = named.with("subject", subject).with("unit", meter.unit());
        whose.with("machine", meter.machine().name())
    }

    /// Sets a field.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.into(), value.into());
        self
    }

    /// Sets the fields of the distribution; none without samples.
    pub fn spread(self, samples: Vec<u64>) -> Self {
        let Some(spread) = Spread::of(samples) else {
            return self.with("n", 0);
        };
        let few = self.with("n", spread.count()).with("min", spread.min());
        let more = few.with("median", spread.quantile(0.5));
        let most = more.with("p99", spread.quantile(0.99));
        let all = most.with("p999", spread.quantile(0.999));
        all.with("max", spread.max())
    }

    /// The same with a histogram of the samples.
    pub fn distribution(self, samples: Vec<u64>) -> Self {
        let classes: Vec<Value> = Spread::of(samples.clone())
            .map(|spread| spread.classes())
            .unwrap_or_default()
            .into_iter()
            .map(|(upper, count)| Value::from(vec![upper, count]))
            .collect();
        self.spread(samples).with("histogram", classes)
    }

    /// The line.
    pub fn line(&self) -> String {
        format!("{MARKER}{}", Value::Object(self.0.clone()))
    }

    /// Prints the line and flushes it: a guest may stop at any time.
    pub fn print(&self) {
        println!("{}", self.line());
        let _ = std::io::stdout().flush();
    }
}
