// SPDX-License-Identifier: GPL-2.0

//! The targets of the data sheet, and whether they were reached.
//!
//! Costs in instructions are those of the machine `icount`; each target takes the
//! most expensive of all fill levels, states and sizes, unless it says otherwise.

mod kernel;
mod process;
mod target;
#[cfg(test)]
mod tests;

use crate::query::Figures;
use target::Target;

/// All targets with figures.
pub fn targets(all: &Figures<'_>) -> Vec<Target> {
    use kernel::{depth, pages, regions};
    use process::{borrowing, heap, recall, scale};

    let parts = [pages, depth, regions, borrowing, heap, recall, scale];
    parts.iter().flat_map(|part| part(all)).collect()
}
