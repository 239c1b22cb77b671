// SPDX-License-Identifier: GPL-2.0

//! Size classes: powers of two (the first level), each in sixteen equal steps (the
//! second level).

use super::node::NONE;

const STEP_BITS: u32 = 4;
const STEPS: u32 = 1 << STEP_BITS;
/// Rows of the first level: one for sizes below `STEPS`, one for each power of two
/// above; and some that are never used, so that any number of five bits is a row.
const ROWS: usize = 32;

/// By how much a size is shifted to get its step.
#[inline(always)]
const fn shift(units: u32) -> u32 {
    // Sizes below `STEPS` are not shifted, nor are those of the row above.
    (units | STEPS).ilog2().wrapping_sub(STEP_BITS)
}

/// A size class: its row times `STEPS`, plus its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u32);

impl Class {
    /// The size class of a block of this size.
    #[inline(always)]
    pub(super) const fn of(units: u32) -> Self {
        let shift = shift(units);
        // The highest bit of the shifted size counts as one more row.
        Self(
            shift
                .wrapping_mul(STEPS)
                .wrapping_add(units.wrapping_shr(shift)),
        )
    }

    /// The lowest size class in which every block has at least this size.
    #[inline(always)]
    pub(super) fn above(units: u32) -> Option<Self> {
        Some(Self::of(class_ceiling(units)?))
    }

    const fn row(self) -> usize {
        (self.0 / STEPS) as usize % ROWS
    }

    const fn step(self) -> u32 {
        self.0 % STEPS
    }

    const fn index(self) -> usize {
        self.0 as usize % (ROWS * STEPS as usize)
    }
}

/// The smallest size in the lowest size class in which every block has at least
/// `units` units: `units` rounded up to five significant bits. `None` if there is no such
/// class. O(1).
#[inline(always)]
pub fn class_ceiling(units: u32) -> Option<u32> {
    let mask = 1u32.wrapping_shl(shift(units)).wrapping_sub(1);
    Some(units.checked_add(mask)? & !mask)
}

/// The first free block of each size class, and two levels of bitmaps of the classes
/// that have one.
#[derive(Debug)]
pub(super) struct Classes {
    /// Rows with a free block, one bit each.
    rows: u32,
    /// Steps with a free block, one bit each, by row.
    steps: [u32; ROWS],
    first: [u32; ROWS * STEPS as usize],
}

impl Classes {
    pub(super) const fn new() -> Self {
        Self {
            rows: 0,
            steps: [0; ROWS],
            first: [NONE; ROWS * STEPS as usize],
        }
    }

    /// The first free block of this class, or `NONE`.
    #[inline(always)]
    pub(super) fn first(&self, class: Class) -> u32 {
        self.first[class.index()]
    }

    /// Makes `index` the first free block of this class; `NONE` empties it.
    #[inline(always)]
    pub(super) fn set_first(&mut self, class: Class, index: u32) {
        self.first[class.index()] = index;
        let steps = &mut self.steps[class.row()];
        if index == NONE {
            *steps &= !(1 << class.step());
            if *steps == 0 {
                self.rows &= !(1 << class.row());
            }
        } else {
            *steps |= 1 << class.step();
            self.rows |= 1 << class.row();
        }
    }

    /// The first free block of the lowest class from `class` on that has one. Two bit
    /// scans at most.
    #[inline(always)]
    pub(super) fn first_from(&self, class: Class) -> Option<u32> {
        let steps = self.steps[class.row()] & (u32::MAX << class.step());
        if steps != 0 {
            return Some(self.first_of(class.row(), steps));
        }
        // Rows above. Shifted twice, because a shift by 32 would overflow.
        let rows = self.rows & ((u32::MAX << class.row()) << 1);
        if rows == 0 {
            return None;
        }
        let row = rows.trailing_zeros() as usize % ROWS;
        Some(self.first_of(row, self.steps[row]))
    }

    #[inline(always)]
    fn first_of(&self, row: usize, steps: u32) -> u32 {
        // CAST: fewer than 32 rows.
        let class = (row as u32).wrapping_mul(STEPS);
        self.first(Class(class.wrapping_add(steps.trailing_zeros())))
    }

    /// The highest class that has a free block.
    pub(super) fn highest(&self) -> Option<Class> {
        let row = self.rows.checked_ilog2()?;
        let step = self.steps[row as usize % ROWS].checked_ilog2()?;
        Some(Class(row * STEPS + step))
    }
}
