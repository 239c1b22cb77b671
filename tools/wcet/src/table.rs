// SPDX-License-Identifier: GPL-2.0

//! The table: for each line its bound and what was counted, and what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    bounds::{call, given, Bounds, Reasons},
    counts::Counts,
    decode::Decode,
    entries::{entry_points, is_like, Entries, Row},
    image::{is_named, readable, Image},
    lines::Lines,
    problem::Result,
    settings::Settings,
    source::Source,
};

/// A bound may be so many times the highest count, unless its row says why it is more.
pub const FACTOR: u64 = 3;

/// Everything that bounds are computed from.
pub struct Module<'a> {
    pub image: &'a Image,
    pub decode: &'a Decode<'a>,
    pub lines: &'a Lines,
    pub source: &'a Source,
    pub settings: &'a Settings,
}

/// A line of the table.
pub struct Line<'a> {
    pub row: &'a Row,
    /// The most instructions, whatever happens.
    pub bound: u64,
    /// The most instructions under the conditions of the counts.
    pub comparable: u64,
    pub counted: Option<u64>,
}

impl Line<'_> {
    /// The bound in hundredths of the highest count.
    pub fn ratio(&self) -> Option<u64> {
        let counted = self.counted.filter(|counted| *counted != 0)?;
        Some(self.comparable.saturating_mul(100) / counted)
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let counted = match self.counted {
            Some(counted) => counted,
            None if self.row.counts.is_empty() => return None,
            None => return Some("no count has its name".to_owned()),
        };
        if counted > self.comparable {
            return Some(format!(
                "counted {counted}, more than the bound {}",
                self.comparable
            ));
        }
        let many = self.comparable > counted.saturating_mul(FACTOR);
        (many && self.row.because.is_none()).then(|| {
            format!(
                "the bound {} is more than {FACTOR} times the highest count {counted}",
                self.comparable
            )
        })
    }
}

impl Module<'_> {
    pub fn line<'r>(&self, row: &'r Row, counts: &Counts) -> Result<Line<'r>, Reasons> {
        let counted = row
            .counts
            .iter()
            .filter_map(|start| counts.highest(start))
            .max();
        let never = [&row.without[..], &row.counted_without].concat();
        Ok(Line {
            row,
            bound: self.sum(row, &row.without, &BTreeMap::new())?,
            comparable: self.sum(row, &never, &row.counted_with)?,
            counted,
        })
    }

    /// The bounds of all calls of a row, and the calls themselves.
    fn sum(
        &self,
        row: &Row,
        never: &[String],
        counted_with: &BTreeMap<String, u64>,
    ) -> Result<u64, Reasons> {
        let source = self.source.with(&row.with).with(counted_with);
        let mut bounds = Bounds::new(
            self.image,
            self.decode,
            self.lines,
            &source,
            self.settings,
            never,
        );
        let mut sum = row.caller;
        let one = |reason: String| Reasons::from([reason]);
        for name in never {
            let name = given(name).map_or(&**name, |(name, _)| name);
            let (caller, called) = call(name).unwrap_or((name, name));
            let is_missing = |name: &&str| !self.has(name) && !self.settings.has_callee(name);
            if let Some(name) = [caller, called].into_iter().find(is_missing) {
                return Err(one(format!("there is no function {name} to count without")));
            }
        }
        for name in &row.calls {
            let bound = bounds.of(self.image.function(name).map_err(one)?)?;
            let instructions = bound
                .instructions
                .ok_or_else(|| one(format!("{name} has no path to its end")))?;
            sum = sum.saturating_add(instructions);
            sum = sum.saturating_add(bound.totals.instructions());
        }
        self.check_never(&bounds)?;
        Ok(sum)
    }

    /// Whether the module has a function of this name.
    fn has(&self, name: &str) -> bool {
        let mut symbols = self.image.functions().values();
        symbols.any(|symbol| is_named(symbol, name))
    }

    /// Refuses functions that are not called, by assumption, without which others have no
    /// path to their end: no path through these would count.
    fn check_never(&self, bounds: &Bounds<'_>) -> Result<(), Reasons> {
        let mut plain = Bounds::new(
            self.image,
            self.decode,
            self.lines,
            bounds.source,
            self.settings,
            &[],
        );
        let mut reasons = Reasons::new();
        for entry in bounds.endless() {
            let symbol = self.image.function_at(entry).unwrap_or("?");
            let is_known = |name: &String| is_named(symbol, name);
            // It need not have a bound itself.
            if bounds.never.iter().any(is_known) {
                continue;
            }
            if plain.of(entry)?.instructions.is_some() {
                let name = bounds.name(entry);
                reasons.insert(format!(
                    "{name} always calls what is not called: name it too"
                ));
            }
        }
        match reasons.is_empty() {
            true => Ok(()),
            false => Err(reasons),
        }
    }

    /// Commands of ioctl() that have neither a line nor a reason to have none, and such that
    /// there are not.
    fn forgotten(&self, entries: &Entries) -> Vec<(String, String)> {
        let there = &self.source.commands;
        let rows = entries.rows.iter().flat_map(|row| &row.ioctls);
        let without = entries.without.iter().flat_map(|without| &without.ioctls);
        let known: BTreeSet<String> = rows.chain(without).cloned().collect();
        let because = |why: &'static str| move |name: &String| (name.clone(), why.to_owned());
        let missing = there
            .difference(&known)
            .map(because("is a command, but no line has it"));
        let stale = known
            .difference(there)
            .map(because("is listed, but is no command"));
        missing.chain(stale).collect()
    }

    /// Entry points that have neither a line nor a reason to have none, and reasons that
    /// are not true any longer.
    pub fn gaps(&self, entries: &Entries) -> Vec<(String, String)> {
        let mut gaps = self.forgotten(entries);
        let calls: BTreeSet<u64> = entries
            .rows
            .iter()
            .flat_map(|row| &row.calls)
            .filter_map(|name| self.image.function(name).ok())
            .collect();
        let mut points = entry_points(self.image, self.decode);
        points.retain(|_, symbol| !self.settings.is_known_target(symbol));
        let mut bounds = Bounds::new(
            self.image,
            self.decode,
            self.lines,
            self.source,
            self.settings,
            &[],
        );
        for (address, symbol) in &points {
            let excused = entries.without.iter().any(|without| without.has(symbol));
            if calls.contains(address) || excused {
                continue;
            }
            let reasons = match bounds.of(*address) {
                Ok(_) => "it has a bound, but no line of the table".to_owned(),
                Err(reasons) => Vec::from_iter(reasons).join("\n    "),
            };
            gaps.push((readable(symbol), reasons));
        }
        for name in entries.without.iter().flat_map(|without| &without.entries) {
            if !points.values().any(|symbol| is_like(symbol, name)) {
                gaps.push((
                    name.clone(),
                    "is listed without a bound, but is no entry point".to_owned(),
                ));
            }
        }
        gaps
    }
}
