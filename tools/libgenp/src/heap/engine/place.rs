// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the free block for a request.

use super::{Engine, SMALLEST};
use crate::heap::{
    lists::{round_up, List, NONE},
    memory::{Checked, HEADER},
    size_class::GRAIN,
};

/// Blocks that a search for an aligned one looks at, at most; and of each list.
const LOOKS: usize = 256;
const LOOKS_IN_LIST: usize = 16;

impl Engine {
    /// A free block for the request, and what to leave free at its front.
    #[inline]
    pub(super) fn find(&self, bytes: usize, align: usize) -> Checked<Option<(usize, usize)>> {
        if align > GRAIN {
            return self.find_aligned(bytes, align);
        }
        // All blocks of this list or above are large enough, and nobody else's is.
        let list = self.lists.from(List::of(bytes));
        Ok(list.map(|list| (self.lists.first(list), 0)))
    }

    /// The same with an alignment of more than the default.
    fn find_aligned(&self, bytes: usize, align: usize) -> Checked<Option<(usize, usize)>> {
        let tight = List::of(bytes);
        // Any block of this list or above is large enough wherever it begins.
        let ample = bytes
            .checked_add(align + SMALLEST)
            .and_then(round_up)
            .map(List::of);
        if let Some(list) = ample.and_then(|list| self.lists.from(list)) {
            return self.fit(self.lists.first(list), bytes, align);
        }
        let (mut list, mut looks) = (self.lists.from(tight), LOOKS);
        while let Some(here) = list {
            if let Some(found) = self.look_through(here, bytes, align, &mut looks)? {
                return Ok(Some(found));
            }
            list = self.lists.above(here).filter(|_| looks > 0);
        }
        Ok(None)
    }

    /// The first block of a list that fits.
    fn look_through(
        &self,
        list: List,
        bytes: usize,
        align: usize,
        looks: &mut usize,
    ) -> Checked<Option<(usize, usize)>> {
        let mut at = self.lists.first(list);
        for _ in 0..LOOKS_IN_LIST.min(*looks) {
            if at == NONE {
                break;
            }
            *looks -= 1;
            if let Some(found) = self.fit(at, bytes, align)? {
                return Ok(Some(found));
            }
            at = self.memory.read(at + super::NEXT)? as usize;
        }
        Ok(None)
    }

    /// A free block with what to leave free at its front, if the request fits then.
    fn fit(&self, at: usize, bytes: usize, align: usize) -> Checked<Option<(usize, usize)>> {
        let length = self.free_length(at)?;
        let address = self.memory.address(at).as_ptr() as usize;
        let mut gap = address.wrapping_neg() & (align - 1);
        if gap > 0 && gap < SMALLEST {
            gap += align;
        }
        let fits = gap
            .checked_add(bytes + HEADER)
            .is_some_and(|needed| needed <= length);
        Ok(fits.then_some((at, gap)))
    }
}
