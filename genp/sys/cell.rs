// SPDX-License-Identifier: GPL-2.0

//! Numbers of 32 bits in shared tables, each of which one thread at a time uses.
//!
//! The `kernel` crate has relaxed accesses as calls into the kernel. Frame lists need one
//! for each frame that moves, so here they are inline.

use core::cell::UnsafeCell;

/// A number that can be read and written through a shared reference.
///
/// Each access is one plain instruction, as with `READ_ONCE` and `WRITE_ONCE`: it never
/// tears, and orders nothing for other CPUs. A thread that hands the number over to
/// another one does so under a lock.
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
