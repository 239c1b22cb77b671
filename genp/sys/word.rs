// SPDX-License-Identifier: GPL-2.0

//! The words of the labyrinth.

use kernel::{
    prelude::*,
    sync::atomic::{Acquire, Atomic, Full},
};

use super::glue;
use crate::genp::core::labyrinth::{words, Word};

/// A word whose bits are set and cleared by single instructions, in any context.
#[repr(transparent)]
pub(crate) struct KernelWord(Atomic<u64>);

impl KernelWord {
    /// The table for a labyrinth of `pages` pages, all words 0: E2BIG for more than
    /// there can be, ENOMEM. Context: thread, may sleep.
    pub(crate) fn table(pages: u32) -> Result<KVVec<Self>> {
        let count = words(pages).ok_or(super::errno::E2BIG)?;
        let mut table = KVVec::with_capacity(count, GFP_KERNEL)?;
        for _ in 0..count {
            table.push(Self(Atomic::new(0)), GFP_KERNEL)?;
        }
        Ok(table)
    }

    fn as_ptr(&self) -> *mut kernel::ffi::c_ulong {
        self.0.as_ptr().cast()
    }
}

impl Word for KernelWord {
    fn load(&self) -> u64 {
        self.0.load(Acquire)
    }

    fn set(&self, bit: u32) -> bool {
        // SAFETY: one aligned word that lives as long as `self` and is only ever
        // accessed atomically; the mask keeps the bit within it.
        unsafe { glue::genp_test_and_set_bit(bit % u64::BITS, self.as_ptr()) }
    }

    fn clear(&self, bit: u32) -> bool {
        // SAFETY: as above.
        unsafe { glue::genp_test_and_clear_bit(bit % u64::BITS, self.as_ptr()) }
    }

    fn observe(&self) -> u64 {
        self.0.fetch_add(0, Full)
    }
}
