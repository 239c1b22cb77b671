// SPDX-License-Identifier: GPL-2.0

//! Instructions that the kernel replaces when it loads a module, by the features of the
//! processor: section .altinstructions.

use std::collections::BTreeMap;

use crate::{
    image::{Image, Place},
    problem::Result,
};

/// Bytes of an entry, struct alt_instr: two offsets of 32 bits, 32 bits of flags, the
/// lengths of the original and of the replacement.
const ENTRY: usize = 14;

/// What may stand at an address instead of what is in the file.
#[derive(Default)]
pub struct Site {
    pub length: u64,
    /// Address and length of each replacement.
    pub replacements: Vec<(u64, u64)>,
}

pub struct Alternatives(BTreeMap<u64, Site>);

impl Alternatives {
    pub fn read(image: &Image) -> Result<Self> {
        let mut sites = BTreeMap::<u64, Site>::new();
        let Some(section) = image.section(".altinstructions") else {
            return Ok(Self(sites));
        };
        let entries = section.bytes.chunks_exact(ENTRY);
        if !entries.remainder().is_empty() {
            return Err(".altinstructions has entries of an unknown size".to_owned());
        }
        for (number, entry) in entries.enumerate() {
            let at = section.start + (number * ENTRY) as u64;
            let site = sites.entry(linked(image, at)?).or_default();
            site.length = site.length.max(entry[ENTRY - 2].into());
            site.replacements
                .push((linked(image, at + 4)?, entry[ENTRY - 1].into()));
        }
        Ok(Self(sites))
    }

    pub fn at(&self, address: u64) -> Option<&Site> {
        self.0.get(&address)
    }
}

fn linked(image: &Image, at: u64) -> Result<u64> {
    match image.link(at) {
        Some(link) => match link.to {
            Place::Here(start) => Ok(start.wrapping_add_signed(link.addend)),
            Place::Elsewhere(_) => Err(".altinstructions refers to another module".to_owned()),
        },
        None => Err(".altinstructions has an entry without a relocation".to_owned()),
    }
}
