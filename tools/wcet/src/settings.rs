// SPDX-License-Identifier: GPL-2.0

//! What neither the machine code nor the source says: functions of the kernel, and where
//! pointers lead to.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::{
    entries::is_like,
    problem::{about, Result},
    source::Constants,
};

/// A function of the kernel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callee {
    /// The symbols it has.
    pub names: Vec<String>,
    /// The most instructions of a call, that of the call itself not among them.
    pub bound: Cost,
    /// Functions of the module that it calls, one of them once.
    #[serde(default)]
    pub calls: Vec<String>,
    /// How that is known.
    pub how: String,
}

/// A number, or an expression with parameters.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Cost {
    Number(u64),
    Expression(String),
}

impl std::fmt::Display for Cost {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Expression(text) => write!(out, "{text}"),
        }
    }
}

/// The functions that a function calls through pointers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indirect {
    pub function: String,
    pub targets: Vec<String>,
}

/// Loops in code of a library, in the order of their addresses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    pub function: String,
    pub bounds: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Names that annotations use besides the constants of the source.
    #[serde(default)]
    pub parameters: BTreeMap<String, u64>,
    /// Functions that do not return.
    #[serde(default)]
    pub endless: Vec<String>,
    #[serde(default, rename = "callee")]
    pub callees: Vec<Callee>,
    #[serde(default, rename = "indirect")]
    pub indirect: Vec<Indirect>,
    #[serde(default, rename = "library")]
    pub library: Vec<Library>,
}

impl Settings {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(about(path.display()))?;
        toml::from_str(&text).map_err(about(path.display()))
    }

    /// Whether a function of the module counts where something calls it through a pointer.
    pub fn is_known_target(&self, symbol: &str) -> bool {
        let called_back = self.callees.iter().flat_map(|row| &row.calls);
        let targets = self.indirect.iter().flat_map(|row| &row.targets);
        let mut known = called_back.chain(targets);
        known.any(|name| is_like(symbol, name))
    }

    /// What a function of the kernel calls of the module.
    pub fn called_by(&self, name: &str) -> &[String] {
        let mut rows = self.callees.iter();
        let row = rows.find(|row| row.names.iter().any(|known| known == name));
        row.map_or(&[], |row| &row.calls)
    }

    /// Whether there is a row for a function of the kernel.
    pub fn has_callee(&self, name: &str) -> bool {
        let mut names = self.callees.iter().flat_map(|row| &row.names);
        names.any(|known| known == name)
    }

    /// The bound of a function of the kernel, without what it calls of the module.
    pub fn callee(&self, name: &str, constants: &Constants) -> Result<u64> {
        let mut rows = self.callees.iter();
        let row = rows.find(|row| row.names.iter().any(|known| known == name));
        match row.map(|row| &row.bound) {
            Some(Cost::Number(number)) => Ok(*number),
            Some(Cost::Expression(text)) => constants.value("".as_ref(), text).map_err(about(name)),
            None => Err(format!("{name}() of the kernel has no bound")),
        }
    }
}
