// SPDX-License-Identifier: GPL-2.0

//! The integer constants of the source, `const NAME: TYPE = VALUE;` and `#define NAME
//! VALUE`, and the parameters of the settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::expression;
use crate::problem::{about, Result};

/// The deepest chain of constants that are defined by others.
const DEEPEST: usize = 20;

#[derive(Clone)]
pub struct Constants {
    pub parameters: BTreeMap<String, u64>,
    /// By name: the files that define it, and how.
    defined: BTreeMap<String, BTreeMap<PathBuf, String>>,
}

impl Constants {
    pub fn new(parameters: &BTreeMap<String, u64>) -> Self {
        Self {
            parameters: parameters.clone(),
            defined: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, file: &Path, text: &str) {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let line = line.trim();
            let found = match line.strip_prefix("#define") {
                Some(rest) => defined(rest),
                None => constant(line, &mut lines),
            };
            if let Some((name, value)) = found {
                self.defined
                    .entry(name)
                    .or_default()
                    .insert(file.to_owned(), value);
            }
        }
    }

    /// The value of an expression in a file. A name is that of a parameter, or of a
    /// constant of the file, or of the module that its path names, or of the only constant
    /// with this name and value.
    pub fn value(&self, file: &Path, text: &str) -> Result<u64> {
        self.value_within(file, text, DEEPEST)
    }

    fn value_within(&self, file: &Path, text: &str, depth: usize) -> Result<u64> {
        if depth == 0 {
            return Err(format!("'{text}': constants are defined by each other"));
        }
        expression::value(text, &mut |name| self.named(file, name, depth - 1))
    }

    fn named(&self, file: &Path, name: &str, depth: usize) -> Result<u64> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(*value);
        }
        let last = name.rsplit("::").next().unwrap_or(name);
        let known = self.defined.get(last);
        let known = known.ok_or_else(|| format!("there is no constant {name}"))?;
        if let Some(text) = known.get(file).filter(|_| last == name) {
            return self.value_within(file, text, depth).map_err(about(name));
        }
        let is_meant = |file: &Path| is_of(file, name);
        let any = known.keys().any(|file| is_meant(file));
        let mut values = BTreeSet::new();
        for (file, text) in known.iter().filter(|(file, _)| !any || is_meant(file)) {
            values.insert(self.value_within(file, text, depth).map_err(about(name))?);
        }
        match (values.pop_first(), values.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(format!("there are several constants {name}")),
        }
    }
}

/// Whether a file is the module in which a path looks for its last name.
fn is_of(file: &Path, name: &str) -> bool {
    let Some((path, _)) = name.rsplit_once("::") else {
        return false;
    };
    let module = path.rsplit("::").next().unwrap_or(path);
    let file = match file.file_stem() {
        Some(stem) if stem == "mod" => file.parent().and_then(Path::file_name),
        stem => stem,
    };
    file.is_some_and(|file| file == module)
}

fn defined(rest: &str) -> Option<(String, String)> {
    let (name, value) = rest.trim().split_once(char::is_whitespace)?;
    let value = value.split("/*").next()?.trim();
    (!name.contains('(') && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

fn constant<'a>(line: &str, more: &mut impl Iterator<Item = &'a str>) -> Option<(String, String)> {
    let at = line.find("const ")?;
    let before = line[..at].trim();
    if !(before.is_empty() || before.starts_with("pub")) {
        return None;
    }
    let (name, rest) = line[at + "const ".len()..].split_once(':')?;
    if name.contains(|letter: char| !(letter.is_alphanumeric() || letter == '_')) {
        return None;
    }
    let mut text = rest.to_owned();
    while !text.contains(';') {
        text.push(' ');
        text.push_str(more.next()?.trim());
    }
    let (_, value) = text.split_once('=')?;
    Some((name.to_owned(), value.split(';').next()?.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constants() -> Constants {
        let mut constants = Constants::new(&BTreeMap::from([("PAGE_SIZE".to_owned(), 4096)]));
        constants.add(
            Path::new("a.rs"),
            "const LOG: u32 = 6;\npub(super) const MOST: u32 = 1 << (LOG * 4);\npub const fn f() {}\n\
             pub const LONG: u32 =\n    MOST - 1;\nconst OWN: u32 = 1;\n",
        );
        constants.add(
            Path::new("b.h"),
            "#define ROOM\t(4 * PAGE_SIZE)\t/* bytes */\n#define F(x) x\n#define OWN 2\n",
        );
        constants
    }

    #[test]
    fn constants_of_rust_and_of_c_have_values() {
        let value = |text| constants().value(Path::new("c.rs"), text);
        assert_eq!(value("MOST"), Ok(1 << 24));
        assert_eq!(value("LONG"), Ok((1 << 24) - 1));
        assert_eq!(value("ROOM + a::LOG"), Ok(16390));
    }

    #[test]
    fn a_name_of_two_constants_is_that_of_the_same_file_or_refused() {
        assert_eq!(constants().value(Path::new("a.rs"), "OWN"), Ok(1));
        assert!(constants().value(Path::new("c.rs"), "OWN").is_err());
    }

    #[test]
    fn a_constant_may_be_made_from_one_of_the_same_name() {
        let mut constants = constants();
        constants.add(Path::new("d/mod.rs"), "const LOG: u32 = a::LOG + 1;\n");
        let value = |text| constants.value(Path::new("c.rs"), text);
        assert_eq!((value("d::LOG"), value("a::LOG")), (Ok(7), Ok(6)));
        assert!(value("LOG").is_err());
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(constants().value(Path::new("a.rs"), "NONE").is_err());
        assert!(constants().value(Path::new("a.rs"), "f").is_err());
    }
}
