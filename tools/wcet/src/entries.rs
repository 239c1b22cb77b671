// SPDX-License-Identifier: GPL-2.0

//! The entry points: which of them make a line of the table, and which have no bound.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::{
    image::{is_named, readable, Image},
    problem::{about, Result},
};

/// Sections in which an address of a function makes it an entry point: the kernel calls
/// it through the table it is in.
const TABLES: [&str; 5] = [".data", ".rodata", ".ref.data", ".init.data", ".exit.data"];

/// A line of the table: what is counted together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What it does.
    pub what: String,
    /// The entry points that are called, one after the other.
    pub calls: Vec<String>,
    /// The instructions of whoever calls them, if they were counted too.
    #[serde(default)]
    pub caller: u64,
    /// Parameters of this row.
    #[serde(default)]
    pub with: BTreeMap<String, u64>,
    /// A line for each of these values of a parameter, which stands in its texts for its name
    /// in braces.
    #[serde(default)]
    pub each: BTreeMap<String, Vec<u64>>,
    /// ... and other values of them while it is counted.
    #[serde(default)]
    pub counted_with: BTreeMap<String, u64>,
    /// Functions that are not called, as the line says; neither bound has them.
    #[serde(default)]
    pub without: Vec<String>,
    /// Functions that are not called while it is counted.
    #[serde(default)]
    pub counted_without: Vec<String>,
    /// What was so while it was counted.
    pub conditions: Option<String>,
    /// Why the bound is more than three times the highest count.
    pub because: Option<String>,
    /// The counts of it: how their names begin.
    #[serde(default)]
    pub counts: Vec<String>,
}

/// An entry point without a bound.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Without {
    pub entries: Vec<String>,
    /// The counts of them: how their names begin.
    #[serde(default)]
    pub counts: Vec<String>,
    pub because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    #[serde(default, rename = "row")]
    pub rows: Vec<Row>,
    #[serde(default, rename = "without")]
    pub without: Vec<Without>,
}

impl Entries {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(about(path.display()))?;
        let mut entries: Self = toml::from_str(&text).map_err(about(path.display()))?;
        entries.rows = entries.rows.iter().flat_map(Row::lines).collect();
        Ok(entries)
    }
}

impl Row {
    fn lines(&self) -> Vec<Self> {
        let mut lines = vec![self.clone()];
        for (name, values) in &self.each {
            let of = |line: &Self| Vec::from_iter(values.iter().map(|value| line.at(name, *value)));
            lines = lines.iter().flat_map(of).collect();
        }
        lines
    }

    /// The line with this value of a parameter.
    fn at(&self, name: &str, value: u64) -> Self {
        let filled = |text: &String| text.replace(&format!("{{{name}}}"), &value.to_string());
        let mut line = self.clone();
        line.with.insert(name.to_owned(), value);
        line.what = filled(&self.what);
        line.counts = self.counts.iter().map(filled).collect();
        line
    }
}

impl Without {
    pub fn has(&self, symbol: &str) -> bool {
        self.entries.iter().any(|name| is_like(symbol, name))
    }
}

/// Whether a symbol has this name, or one that goes on where the name has an asterisk.
pub fn is_like(symbol: &str, name: &str) -> bool {
    let Some(start) = name.strip_suffix('*') else {
        return is_named(symbol, name);
    };
    let path = readable(symbol);
    path.starts_with(start) || path.contains(&format!("::{start}"))
}

/// What the kernel can call: exported functions, and those whose address is in a table.
pub fn entry_points(image: &Image) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    for (address, symbol) in image.functions() {
        let exported = image.is_exported(symbol);
        if exported || image.is_in_tables(*address, &TABLES) {
            found.insert(*address, symbol.clone());
        }
    }
    found
}
