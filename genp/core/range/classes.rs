// SPDX-License-Identifier: GPL-2.0

//! Classes of block sizes: powers of two, each in sixteen equal steps.

use super::node::NONE;

const STEP_BITS: u32 = 4;
const STEPS: usize = 1 << STEP_BITS;
/// One row for sizes below `STEPS`, one for each power of two above.
const ROWS: usize = 32 - STEP_BITS as usize + 1;

/// A class of sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    row: u32,
    step: u32,
}

impl Class {
    /// The class a block of this size belongs to.
    pub(super) fn of(units: u32) -> Self {
        if units < STEPS as u32 {
            return Self {
                row: 0,
                step: units,
            };
        }
        let log = units.ilog2();
        Self {
            row: log - STEP_BITS + 1,
            step: (units >> (log - STEP_BITS)) & (STEPS as u32 - 1),
        }
    }

    /// The lowest class all of whose blocks have this size at least.
    pub(super) fn above(units: u32) -> Option<Self> {
        Some(Self::of(class_ceiling(units)?))
    }
}

/// The smallest block of the lowest class all of whose blocks have `units` at
/// least; `None` if there is no such class.
pub fn class_ceiling(units: u32) -> Option<u32> {
    if units < STEPS as u32 {
        return Some(units);
    }
    let mask = (1u32 << (units.ilog2() - STEP_BITS)) - 1;
    Some(units.checked_add(mask)? & !mask)
}

/// The first free block of each class, and which classes have one.
#[derive(Debug)]
pub(super) struct Classes {
    rows: u32,
    steps: [u32; ROWS],
    first: [[u32; STEPS]; ROWS],
}

impl Classes {
    pub(super) const fn new() -> Self {
        Self {
            rows: 0,
            steps: [0; ROWS],
            first: [[NONE; STEPS]; ROWS],
        }
    }

    fn steps(&self, row: u32) -> u32 {
        self.steps.get(row as usize).copied().unwrap_or(0)
    }

    /// The first block of this class.
    pub(super) fn first(&self, class: Class) -> u32 {
        match self.first.get(class.row as usize) {
            Some(row) => row.get(class.step as usize).copied().unwrap_or(NONE),
            None => NONE,
        }
    }

    /// Makes `index` the first block of this class; `NONE` empties it.
    pub(super) fn set_first(&mut self, class: Class, index: u32) {
        let (Some(first), Some(steps)) = (
            self.first
                .get_mut(class.row as usize)
                .and_then(|row| row.get_mut(class.step as usize)),
            self.steps.get_mut(class.row as usize),
        ) else {
            return;
        };
        *first = index;
        if index == NONE {
            *steps &= !(1 << class.step);
            if *steps == 0 {
                self.rows &= !(1 << class.row);
            }
        } else {
            *steps |= 1 << class.step;
            self.rows |= 1 << class.row;
        }
    }

    /// The first block of the lowest class from `class` on that has one. Two
    /// bit scans, whatever there is.
    pub(super) fn first_from(&self, class: Class) -> Option<u32> {
        let steps = self.steps(class.row) & (u32::MAX << class.step);
        if steps != 0 {
            return Some(self.first(Class {
                row: class.row,
                step: steps.trailing_zeros(),
            }));
        }
        let rows = self.rows & u32::MAX.checked_shl(class.row + 1).unwrap_or(0);
        if rows == 0 {
            return None;
        }
        let row = rows.trailing_zeros();
        Some(self.first(Class {
            row,
            step: self.steps(row).trailing_zeros(),
        }))
    }

    /// The highest class that has a block.
    pub(super) fn highest(&self) -> Option<Class> {
        let row = self.rows.checked_ilog2()?;
        let step = self.steps(row).checked_ilog2()?;
        Some(Class { row, step })
    }
}
