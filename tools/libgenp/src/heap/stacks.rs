// SPDX-License-Identifier: MIT OR Apache-2.0

//! The stacks of a thread cache, in memory of the process: what a forked child must
//! find changed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::size_class::CLASSES;
use crate::thread::{SLOTS, STRIDE};

/// The stacks of a slot.
#[repr(align(1024))]
pub(super) struct Slot {
    pub(super) stacks: [AtomicUsize; CLASSES],
    /// The most blocks of each stack: 0 for threads without a slot.
    pub(super) limit: [u8; CLASSES],
}

const _: () = assert!(size_of::<Slot>() == STRIDE);

/// What a forked child must find changed, at an address that never changes.
#[repr(C)]
pub(super) struct Stacks {
    /// The first is for threads without a slot and always empty.
    pub(super) slots: [Slot; SLOTS + 1],
    /// Of each class, a full stack on its way from a thread that frees to one that
    /// allocates.
    pub(super) magazines: [AtomicUsize; CLASSES],
    /// The number of bytes that can have blocks; 0 in a forked child.
    pub(super) length: AtomicUsize,
}

impl Stacks {
    /// Forgets all blocks, and that there can be any. Context: a forked child.
    pub(super) fn forget(&self) {
        let slots = self.slots.iter().flat_map(|slot| &slot.stacks);
        for stack in slots.chain(&self.magazines) {
            stack.store(0, Ordering::Relaxed);
        }
        self.length.store(0, Ordering::Relaxed);
    }
}
