// SPDX-License-Identifier: GPL-2.0

//! Numbers of 32 bits that one thread at a time uses, in tables that all share.
//!
//! The `kernel` crate has relaxed accesses as calls into the kernel. Chains make one
//! for each page that moves, so here they stand in the code.

use core::cell::UnsafeCell;

/// A number that can be read and written through a shared reference.
///
/// Each access is one plain instruction, as with `READ_ONCE` and `WRITE_ONCE`: it is
/// whole, in the order of the program for its own CPU, and in none for others. Who
/// hands the number to another thread does so under a lock.
#[repr(transparent)]
pub(crate) struct RelaxedCell(UnsafeCell<u32>);

// SAFETY: every access is a volatile one of an aligned word, which the kernel's memory
// model allows from several threads at once.
unsafe impl Sync for RelaxedCell {}

impl RelaxedCell {
    pub(crate) const fn new(value: u32) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Context: any.
    #[inline(always)]
    pub(crate) fn get(&self) -> u32 {
        // SAFETY: the cell is there for as long as `self`; see the top.
        unsafe { self.0.get().read_volatile() }
    }

    /// Context: any.
    #[inline(always)]
    pub(crate) fn set(&self, value: u32) {
        // SAFETY: as above.
        unsafe { self.0.get().write_volatile(value) }
    }
}
