// SPDX-License-Identifier: GPL-2.0

//! What the source says about its loops: annotations and the constants they are made of.

mod annotations;
mod constants;
mod expression;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    entries::commands,
    problem::{about, Result},
};

pub use annotations::{Annotation, Kind};
pub use constants::Constants;

/// The folders of the source that are compiled into the module.
const FOLDERS: [&str; 2] = ["genp", "include"];

/// Where the commands of ioctl() are defined.
const ABI: &str = "include/uapi";

/// All annotations by file, and all constants.
#[derive(Clone)]
pub struct Source {
    pub annotations: BTreeMap<PathBuf, Vec<Annotation>>,
    pub constants: Constants,
    /// The commands of ioctl().
    pub commands: BTreeSet<String>,
}

impl Source {
    pub fn read(top: &Path, parameters: &BTreeMap<String, u64>) -> Result<Self> {
        let mut source = Self {
            annotations: BTreeMap::new(),
            constants: Constants::new(parameters),
            commands: BTreeSet::new(),
        };
        for folder in FOLDERS {
            let folder = top.join(folder);
            if folder.is_dir() {
                source.add_folder(top, &folder)?;
            }
        }
        source.check()?;
        Ok(source)
    }

    /// The same with other values of some parameters.
    pub fn with(&self, parameters: &BTreeMap<String, u64>) -> Self {
        let mut source = self.clone();
        source.constants.parameters.extend(parameters.clone());
        source
    }

    fn add_folder(&mut self, top: &Path, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(about(folder.display()))? {
            let path = entry.map_err(about(folder.display()))?.path();
            if path.is_dir() {
                // Tests are not in the module.
                if !path.ends_with("tests") && !path.ends_with("kunit") {
                    self.add_folder(top, &path)?;
                }
                continue;
            }
            let ending = path.extension().and_then(|ending| ending.to_str());
            if !matches!(ending, Some("rs" | "c" | "h")) {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(about(path.display()))?;
            let name = path.strip_prefix(top).unwrap_or(&path);
            self.constants.add(name, &text);
            if name.starts_with(ABI) {
                self.commands.extend(commands(&text));
            }
            let found = annotations::annotations(&text).map_err(about(name.display()))?;
            self.annotations.insert(name.to_owned(), found);
        }
        Ok(())
    }

    /// Each annotation has a value, whether its loop is in the machine code or not.
    fn check(&self) -> Result<()> {
        for (file, annotations) in &self.annotations {
            for annotation in annotations {
                if annotation.kind != Kind::NotReached {
                    self.bound(file, annotation)?;
                }
            }
        }
        Ok(())
    }

    /// The value of an annotation.
    pub fn bound(&self, file: &Path, annotation: &Annotation) -> Result<u64> {
        let place = format!("{}:{}", file.display(), annotation.first);
        self.constants
            .value(file, &annotation.bound)
            .map_err(about(place))
    }
}
