// SPDX-License-Identifier: MIT OR Apache-2.0

//! Lists of free blocks by size, and which of them have one: two-level segregated fit,
//! after Masmano, Ripoll, Crespo and Real, "TLSF: a new dynamic memory allocator for
//! real-time systems", ECRTS 2004.
//!
//! Each doubling has 32 lists. Requests are rounded up to the lower bound of a list, so
//! that every block of that list or of a higher one is large enough, and one of exactly
//! that size is never missed.

use super::size_class::GRAIN;

/// Lists of a doubling.
pub(crate) const STEPS: usize = 32;
const EXACT: usize = STEPS * GRAIN;
/// Enough for blocks of 2^47 bytes.
const LEVELS: usize = 40;
/// No block.
pub(super) const NONE: usize = usize::MAX;
/// The most bytes of a block.
pub(super) const MOST: usize = 1 << 46;

/// A list, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct List(usize);

impl List {
    /// The list of this number.
    pub(crate) fn numbered(number: usize) -> Self {
        Self(number)
    }

    /// Its number.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// The list of blocks of this many bytes.
    #[inline]
    pub(crate) fn of(bytes: usize) -> Self {
        if bytes < EXACT {
            return Self(bytes / GRAIN);
        }
        let level = (bytes.ilog2() - EXACT.ilog2() + 1) as usize;
        Self(level * STEPS + (bytes >> (bytes.ilog2() - STEPS.ilog2())) - STEPS)
    }

    /// The bytes of the smallest blocks of the list: its lower bound.
    pub(crate) fn least(self) -> usize {
        let (level, step) = (self.0 / STEPS, self.0 % STEPS);
        match level {
            0 => step * GRAIN,
            _ => (STEPS + step) << (level - 1 + GRAIN.ilog2() as usize),
        }
    }
}

/// The smallest lower bound of a list that is not below `bytes`; at most a
/// thirty-second is added. None for more than any heap has.
#[inline]
pub(crate) fn round_up(bytes: usize) -> Option<usize> {
    let step = match bytes {
        0 => return Some(GRAIN),
        1..EXACT => GRAIN,
        EXACT..=MOST => 1 << (bytes.ilog2() - STEPS.ilog2()),
        _ => return None,
    };
    Some(bytes.next_multiple_of(step))
}

/// The first block of each list.
pub(super) struct Lists {
    heads: [usize; LEVELS * STEPS],
    /// A bit for each list that has a block.
    steps: [u32; LEVELS],
    /// A bit for each element of `steps` that is not 0.
    levels: u64,
}

impl Lists {
    pub(super) const fn new() -> Self {
        Self {
            heads: [NONE; LEVELS * STEPS],
            steps: [0; LEVELS],
            levels: 0,
        }
    }

    /// The first block of a list.
    #[inline]
    pub(super) fn first(&self, list: List) -> usize {
        self.heads[list.0]
    }

    /// Sets the first block of a list.
    #[inline]
    pub(super) fn set_first(&mut self, list: List, first: usize) {
        let (level, step) = (list.0 / STEPS, list.0 % STEPS);
        self.heads[list.0] = first;
        if first == NONE {
            self.steps[level] &= !(1 << step);
            if self.steps[level] == 0 {
                self.levels &= !(1 << level);
            }
        } else {
            self.steps[level] |= 1 << step;
            self.levels |= 1 << level;
        }
    }

    /// The lowest list from this one on that has a block.
    #[inline]
    pub(super) fn from(&self, list: List) -> Option<List> {
        let (level, step) = (list.0 / STEPS, list.0 % STEPS);
        let here = self.steps[level] & (u32::MAX << step);
        if here != 0 {
            return Some(List(level * STEPS + here.trailing_zeros() as usize));
        }
        // Not more than 63, since there are fewer levels than bits.
        let above = self.levels & (u64::MAX << (level + 1));
        if above == 0 {
            return None;
        }
        let level = above.trailing_zeros() as usize;
        Some(List(
            level * STEPS + self.steps[level].trailing_zeros() as usize,
        ))
    }

    /// The highest list that has a block.
    pub(super) fn highest(&self) -> Option<List> {
        let level = self.levels.checked_ilog2()? as usize;
        let step = self.steps[level].checked_ilog2()? as usize;
        Some(List(level * STEPS + step))
    }

    /// The lowest list above this one that has a block.
    #[inline]
    pub(super) fn above(&self, list: List) -> Option<List> {
        match list.0 + 1 {
            next if next < LEVELS * STEPS => self.from(List(next)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::size_class, *};

    #[test]
    fn what_is_rounded_up_is_the_lower_bound_of_its_list() {
        for size in (0..200_000).chain([MOST - 1, MOST]) {
            let bytes = round_up(size).unwrap();
            assert!(bytes >= size && bytes % GRAIN == 0);
            assert!(bytes - size < GRAIN + 1 + size / 32, "{size}: {bytes}");
            assert!(List::of(bytes - GRAIN) < List::of(bytes));
        }
        assert_eq!(round_up(MOST + 1), None);
    }

    #[test]
    fn the_lower_bound_of_a_list_is_the_least_of_it() {
        for number in 1..STEPS * 37 {
            let list = List(number);
            assert_eq!(List::of(list.least()), list);
            assert!(List::of(list.least() - 1) < list);
            assert_eq!(round_up(list.least()), Some(list.least()));
        }
    }

    #[test]
    fn cached_blocks_have_lower_bounds_as_sizes() {
        for class in 0..size_class::CLASSES {
            let bytes = size_class::bytes_of(class);
            assert_eq!(round_up(bytes), Some(bytes));
        }
    }

    #[test]
    fn lists_with_blocks_are_found() {
        let mut lists = Lists::new();
        let (low, high) = (List::of(48), List::of(1 << 40));
        lists.set_first(low, 0);
        assert_eq!(lists.highest(), Some(low));
        lists.set_first(high, 16);
        assert_eq!(lists.highest(), Some(high));
        assert_eq!(lists.from(List::of(16)), Some(low));
        assert_eq!(lists.from(low), Some(low));
        assert_eq!(lists.above(low), Some(high));
        assert_eq!(lists.above(high), None);
        lists.set_first(low, NONE);
        assert_eq!(lists.from(List::of(16)), Some(high));
        lists.set_first(high, NONE);
        assert_eq!(lists.from(List::of(0)), None);
        assert_eq!(lists.highest(), None);
        let last = List(LEVELS * STEPS - 1);
        lists.set_first(last, 32);
        assert_eq!(lists.from(high), Some(last));
        assert_eq!(lists.above(last), None);
    }
}
