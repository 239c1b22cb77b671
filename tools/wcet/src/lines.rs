// SPDX-License-Identifier: GPL-2.0

//! The line tables: from addresses to lines of source, through all functions that the
//! compiler inlined there.

use std::{
    path::{Component, Path, PathBuf},
    rc::Rc,
};

use addr2line::Context;
use gimli::{Dwarf, EndianRcSlice, LittleEndian};

use crate::{
    image::Image,
    problem::{about, Result},
};

type Reader = EndianRcSlice<LittleEndian>;

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// The file, from the top of the source if it is there.
    pub file: PathBuf,
    /// 0 if the compiler does not know it.
    pub number: u32,
}

impl std::fmt::Display for Line {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.number)
    }
}

pub struct Lines {
    context: Context<Reader>,
    source: PathBuf,
}

impl Lines {
    pub fn read(image: &Image, source: &Path) -> Result<Self> {
        let load = |id: gimli::SectionId| -> Result<Reader> {
            Ok(EndianRcSlice::new(
                Rc::from(image.debug(id.name())),
                LittleEndian,
            ))
        };
        let dwarf = Dwarf::load(load)?;
        let context = Context::from_dwarf(dwarf).map_err(about("the debug information"))?;
        let source = source.canonicalize().map_err(about(source.display()))?;
        Ok(Self { context, source })
    }

    /// The lines an instruction belongs to: that of the function written innermost,
    /// then where that one is called, and so on.
    pub fn of(&self, address: u64) -> Result<Vec<Line>> {
        let what = || format!("the lines of {address:#x}");
        let mut frames = self
            .context
            .find_frames(address)
            .skip_all_loads()
            .map_err(about(what()))?;
        let mut lines = Vec::new();
        while let Some(frame) = frames.next().map_err(about(what()))? {
            let Some(location) = frame.location else {
                continue;
            };
            if let Some(file) = location.file {
                let (file, number) = (self.below_top(file), location.line.unwrap_or(0));
                lines.push(Line { file, number });
            }
        }
        Ok(lines)
    }

    fn below_top(&self, file: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for part in Path::new(file).components() {
            match part {
                Component::ParentDir => {
                    path.pop();
                }
                Component::CurDir => {}
                part => path.push(part),
            }
        }
        path.strip_prefix(&self.source)
            .map_or(path.clone(), Path::to_path_buf)
    }
}
