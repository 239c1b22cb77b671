// SPDX-License-Identifier: GPL-2.0

//! The entry points: which of them make a line of the table, and which have no bound.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

use crate::{
    decode::Decode,
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
    /// The commands of ioctl() that it is.
    #[serde(default)]
    pub ioctls: Vec<String>,
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
    /// Commands of ioctl() without one.
    #[serde(default)]
    pub ioctls: Vec<String>,
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

/// What the kernel can call: exported functions, those whose address is in a table, and those
/// whose address the code takes, which are called back.
pub fn entry_points(image: &Image, decode: &Decode<'_>) -> BTreeMap<u64, String> {
    let starts = Vec::from_iter(image.functions().keys().copied());
    let ends = starts.iter().skip(1).copied().chain([u64::MAX]);
    let code = starts.iter().zip(ends);
    let taken: BTreeSet<u64> = code
        .flat_map(|(start, end)| decode.taken(*start, end))
        .collect();
    let is_entry = |address: &u64, symbol: &str| {
        image.is_exported(symbol)
            || image.is_in_tables(*address, &TABLES)
            || taken.contains(address)
    };
    let functions = image.functions().iter();
    functions
        .filter(|(address, symbol)| is_entry(address, symbol))
        .map(|(address, symbol)| (*address, symbol.clone()))
        .collect()
}

/// The commands of ioctl() that a header defines.
pub fn commands(header: &str) -> BTreeSet<String> {
    let lines = header.lines().filter_map(|line| {
        let mut words = line.strip_prefix("#define")?.split_whitespace();
        let (name, value) = (words.next()?, words.next()?);
        value.starts_with("_IO").then(|| name.to_owned())
    });
    lines.collect()
}
