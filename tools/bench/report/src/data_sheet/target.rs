// SPDX-License-Identifier: GPL-2.0

//! A target, and what the parts of the data sheet share.

use crate::{
    labels::{in_unit, number, times},
    query::Figures,
    run::Figure,
};

pub const ICOUNT: &str = "icount";

/// One target.
pub struct Target {
    /// The operation.
    pub what: &'static str,
    /// The limit as text.
    pub limit: String,
    /// The measured value as text.
    pub measured: String,
    /// The measured value divided by the limit: at most 1 if reached.
    pub share: f64,
}

impl Target {
    /// Reached, or by how much it was missed.
    pub fn verdict(&self) -> String {
        match self.share {
            share if share <= 1.0 => "reached".into(),
            share if share < 10.0 => format!("missed by {:.0} %", (share - 1.0) * 100.0),
            share if share.is_finite() => format!("missed, {} times", times(share)),
            _ => "missed".into(),
        }
    }

    /// At most `limit`, in `unit`.
    pub fn at_most(what: &'static str, measured: f64, limit: f64, unit: &str) -> Self {
        let shown = |value: f64| match unit {
            "ns" => in_unit(value, unit),
            "%" => format!("{value:.2} %"),
            "times" => format!("{} times", times(value)),
            unit => format!("{} {unit}", number(value)),
        };
        Self {
            what,
            limit: format!("at most {}", shown(limit)),
            measured: shown(measured),
            share: measured / limit,
        }
    }

    /// At most the cost of something else.
    pub fn not_above(what: &'static str, measured: f64, (peer, cost): (&str, f64)) -> Self {
        Self {
            what,
            limit: format!("at most {} ({peer})", number(cost)),
            measured: number(measured),
            share: measured / cost,
        }
    }
}

pub fn median(figure: &Figure) -> Option<f64> {
    figure.median
}

pub fn worst(figure: &Figure) -> Option<f64> {
    figure.max
}

/// Figures of a case that count instructions.
pub fn counted<'a>(all: &Figures<'a>, group: &str, case: &str) -> Figures<'a> {
    all.case(group, case).machine(ICOUNT)
}

/// A target of a value that may not have been measured.
pub fn push(targets: &mut Vec<Target>, target: Option<Target>) {
    targets.extend(target);
}
