// SPDX-License-Identifier: GPL-2.0

//! Size classes: powers of two, each in sixteen equal steps; and a map of those that have
//! a free block, in rows of as many classes as a word has bits.

use super::end::END;

const STEP_BITS: u32 = 4;
const STEPS: u32 = 1 << STEP_BITS;
const ROW: usize = u64::BITS as usize;
/// Sizes of 32 bits need fewer than 512 classes.
const ROWS: usize = 8;
const CLASSES: usize = ROWS * ROW;

/// By how much a size is shifted to get its step.
#[inline(always)]
const fn shift(units: u32) -> u32 {
    // Sizes below `STEPS` are not shifted, nor are those of the power of two above.
    (units | STEPS).ilog2().wrapping_sub(STEP_BITS)
}

/// A size class, numbered from the smallest sizes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u16);

impl Class {
    pub(super) const LOWEST: Self = Self(0);

    /// The size class of a block of this size.
    #[inline(always)]
    pub(super) const fn of(units: u32) -> Self {
        let shift = shift(units);
        // The highest bit of the shifted size counts as `STEPS` more.
        let class = shift
            .wrapping_mul(STEPS)
            .wrapping_add(units.wrapping_shr(shift));
        // CAST: fewer than 512.
        Self(class as u16)
    }

    /// The lowest size class in which every block has at least this size, which is not 0:
    /// the one above that of the next smaller size.
    #[inline(always)]
    pub(super) const fn above(units: u32) -> Self {
        Self(Self::of(units.wrapping_sub(1)).0.wrapping_add(1))
    }

    #[inline(always)]
    const fn index(self) -> usize {
        self.0 as usize % CLASSES
    }

    #[inline(always)]
    const fn row(self) -> usize {
        self.index() / ROW
    }

    #[inline(always)]
    const fn bit(self) -> u64 {
        1u64.wrapping_shl(self.0 as u32)
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

/// The first free block of each size class, and the map of the classes that have one.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Classes {
    /// Rows with a free block, one bit each.
    rows: u32,
    /// Classes with a free block, one bit each, by row.
    map: [u64; ROWS],
    first: [u32; CLASSES],
}

impl Classes {
    pub(super) const fn new() -> Self {
        Self {
            rows: 0,
            map: [0; ROWS],
            first: [END; CLASSES],
        }
    }

    /// The first free block of this class, or `END`.
    #[inline(always)]
    pub(super) fn first(&self, class: Class) -> u32 {
        self.first[class.index()]
    }

    /// Makes another free block the first one of a class that has one.
    #[inline(always)]
    pub(super) fn replace_first(&mut self, class: Class, index: u32) {
        self.first[class.index()] = index;
    }

    /// Makes a free block the only one of its class.
    #[inline(always)]
    pub(super) fn open(&mut self, class: Class, index: u32) {
        self.first[class.index()] = index;
        self.map[class.row()] |= class.bit();
        self.rows |= 1u32.wrapping_shl(class.row() as u32);
    }

    /// Takes the only free block of a class out of it.
    #[inline(always)]
    pub(super) fn close(&mut self, class: Class) {
        self.first[class.index()] = END;
        let row = &mut self.map[class.row()];
        *row &= !class.bit();
        if *row == 0 {
            self.rows &= !1u32.wrapping_shl(class.row() as u32);
        }
    }

    /// The first free block of the lowest class from `class` on that has one, or `END`.
    /// Two bit scans at most.
    #[inline(always)]
    pub(super) fn first_from(&self, class: Class) -> u32 {
        let row = class.row();
        let here = self.map[row].wrapping_shr(class.0.into());
        if here != 0 {
            return self.first_at(class.0 as usize + here.trailing_zeros() as usize);
        }
        // Rows above.
        let rows = self.rows & 0xfffe_u32.wrapping_shl(row as u32);
        if rows == 0 {
            return END;
        }
        let row = rows.trailing_zeros() as usize % ROWS;
        self.first_at(row * ROW + self.map[row].trailing_zeros() as usize)
    }

    #[inline(always)]
    fn first_at(&self, class: usize) -> u32 {
        self.first[class % CLASSES]
    }

    /// The first free block of the highest class that has one, or `END`.
    pub(super) fn highest(&self) -> u32 {
        let Some(row) = self.rows.checked_ilog2() else {
            return END;
        };
        let row = row as usize % ROWS;
        let bit = self.map[row].checked_ilog2().unwrap_or(0);
        self.first_at(row * ROW + bit as usize)
    }
}
