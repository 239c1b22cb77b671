// SPDX-License-Identifier: GPL-2.0

//! What was counted: the table that scripts/guard keeps, and the figures of one run.

use std::{collections::BTreeMap, fs, path::Path};

use crate::problem::{about, Result};

/// The highest count of each name: `{"KERNEL, COMPILER, EMULATOR": {"NAME": [MEDIAN,
/// HIGHEST]}}`, of all combinations.
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(about(path.display()))?;
        let table: BTreeMap<String, BTreeMap<String, (u64, u64)>> =
            serde_json::from_str(&text).map_err(about(path.display()))?;
        let mut highest = BTreeMap::new();
        for (name, (median, most)) in table.into_values().flatten() {
            let known = highest.entry(name).or_insert(0);
            *known = most.max(median).max(*known);
        }
        Ok(Self(highest))
    }

    /// The highest of the counts whose names begin with this.
    pub fn highest(&self, start: &str) -> Option<u64> {
        let counts = self.0.iter().filter(|(name, _)| name.starts_with(start));
        counts.map(|(_, count)| *count).max()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The highest count of each function of the kernel in the results of a run.
pub fn callees(path: &Path) -> Result<BTreeMap<String, u64>> {
    let text = fs::read_to_string(path).map_err(about(path.display()))?;
    let run: serde_json::Value = serde_json::from_str(&text).map_err(about(path.display()))?;
    let mut found = BTreeMap::new();
    for figure in run["results"].as_array().into_iter().flatten() {
        let of = |field: &str| figure[field].as_str().unwrap_or("");
        if of("case") == "callee" && of("unit") == "instructions" {
            if let Some(most) = figure["max"].as_u64() {
                found.insert(of("state").to_owned(), most);
            }
        }
    }
    Ok(found)
}
