// SPDX-License-Identifier: GPL-2.0

//! What happens so many times in a call from outside, however often it is come to: turns of
//! loops, and calls of functions.

use std::collections::BTreeMap;

use crate::lines::Line;

/// How often, and at most what one time costs.
#[derive(Clone, Copy, Debug)]
pub struct Total {
    pub times: u64,
    pub each: u64,
}

/// All of them, by the first line of the statement, and by the function that it calls.
#[derive(Debug, Default)]
pub struct Totals(BTreeMap<(Line, Option<String>), Total>);

impl Totals {
    /// The turns of a loop; of its copies the dearest counts.
    pub fn add_turns(&mut self, at: Line, times: u64, each: u64) {
        self.insert((at, None), Total { times, each });
    }

    pub fn add_calls(&mut self, at: Line, function: String, times: u64, each: u64) {
        self.insert((at, Some(function)), Total { times, each });
    }

    fn insert(&mut self, key: (Line, Option<String>), total: Total) {
        let known = self.0.entry(key).or_insert(total);
        known.each = known.each.max(total.each);
    }

    pub fn add(&mut self, others: &Self) {
        for (key, total) in &others.0 {
            self.insert(key.clone(), *total);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Line, Option<&str>, Total)> {
        let all = self.0.iter();
        all.map(|((at, function), total)| (at, function.as_deref(), *total))
    }

    /// What all of it costs.
    pub fn instructions(&self) -> u64 {
        let all = self.0.values();
        all.map(|total| total.times.saturating_mul(total.each))
            .fold(0, u64::saturating_add)
    }
}
