// SPDX-License-Identifier: MIT OR Apache-2.0

//! The stacks of the thread caches, in memory of the process: what a forked child must
//! find changed.

use std::{
    alloc::{self, Layout},
    io,
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, AtomicU8, AtomicUsize, Ordering},
};

use super::size_class::CLASSES;
use crate::thread::{SLOTS, STRIDE};

/// The stacks of a slot.
#[repr(C, align(64))]
pub(super) struct Slot {
    pub(super) stacks: [AtomicU64; CLASSES],
    /// Of each class, a block in front of the stack, in grains and one more; 0 for none.
    pub(super) tops: [AtomicU32; CLASSES],
    /// The most blocks of each stack; only the holder of the lock changes it.
    pub(super) limits: [AtomicU8; CLASSES],
    /// The owner is about to fill a top: not 0 is seen by its own signal handlers only.
    pub(super) filling: AtomicU8,
}

const _: () = assert!(size_of::<Slot>() == STRIDE);

/// What a forked child must find changed, at an address that never changes.
#[repr(C)]
pub(super) struct Stacks {
    /// The first is for threads without a slot and always empty. The last is the depot:
    /// full stacks on their way from a thread that frees to one that allocates (after
    /// Bonwick's magazine depot).
    pub(super) slots: [Slot; SLOTS + 2],
    /// The number of bytes that can have blocks; 0 in a forked child.
    pub(super) length: AtomicUsize,
}

impl Stacks {
    /// Forgets all blocks, and that there can be any. Context: a forked child.
    pub(super) fn forget(&self) {
        for slot in &self.slots {
            for class in 0..CLASSES {
                slot.stacks[class].store(0, Ordering::Relaxed);
                slot.tops[class].store(0, Ordering::Relaxed);
                slot.limits[class].store(0, Ordering::Relaxed);
            }
        }
        self.length.store(0, Ordering::Relaxed);
    }
}

/// Stacks on the heap of the process. A box would be made on the machine's stack first.
pub(super) struct Owned(NonNull<Stacks>);

// SAFETY: owned memory that is reached by atomic operations.
unsafe impl Send for Owned {}
// SAFETY: as above.
unsafe impl Sync for Owned {}

impl Owned {
    /// Stacks without blocks, populated.
    pub(super) fn new(length: usize) -> io::Result<Self> {
        let layout = Layout::new::<Stacks>();
        // SAFETY: its size is not 0.
        let memory = unsafe { alloc::alloc(layout) };
        let memory = NonNull::new(memory.cast::<Stacks>())
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        // SAFETY: memory of this type, whose fields may all be 0. Written, not only
        // mapped: no call is to take a page fault.
        unsafe { memory.write_bytes(0, 1) };
        let stacks = Self(memory);
        stacks.length.store(length, Ordering::Relaxed);
        Ok(stacks)
    }
}

impl Deref for Owned {
    type Target = Stacks;

    #[inline(always)]
    fn deref(&self) -> &Stacks {
        // SAFETY: allocated and initialized by `new`.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with this layout.
        unsafe { alloc::dealloc(self.0.as_ptr().cast(), Layout::new::<Stacks>()) };
    }
}
