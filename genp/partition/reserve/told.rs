// SPDX-License-Identifier: GPL-2.0

//! Which pages the owner of a reserve was told of, for one that is not of the pool's frames.

use ::core::iter::repeat_n;

use kernel::{alloc::Flags, prelude::*};

use crate::genp::sys::table;

/// Pages of a carveout whose errors the owner was told of, a bit each.
pub(super) struct ToldPages(KVVec<u64>);

impl ToldPages {
    pub(super) const NONE: Self = Self(KVVec::new());

    /// None of `pages` pages. ENOMEM. Context: thread, may sleep.
    pub(super) fn new(pages: u32, flags: Flags) -> Result<Self> {
        let words = pages.div_ceil(u64::BITS) as usize;
        Ok(Self(table::collect(repeat_n(0, words), flags)?))
    }

    /// Adds a page; whether it was not there.
    pub(super) fn insert(&mut self, page: u32) -> bool {
        let Some(word) = self.0.get_mut((page / u64::BITS) as usize) else {
            return false;
        };
        let bit = 1u64.wrapping_shl(page % u64::BITS);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
