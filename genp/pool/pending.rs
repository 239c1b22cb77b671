// SPDX-License-Identifier: GPL-2.0

//! The partitions with events that were not delivered yet.
//!
//! User space decides how many listeners there are, so the thread that ends leases must
//! not notify them. A thread of lower priority does, by one word for each partition.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc,
    },
};

use crate::genp::{
    core::accounting::PartitionId,
    sys::{alloc_flags::SETUP_FLAGS, table, thread::Waker},
};

/// For each partition the types of events to deliver, bits 1 << type.
pub(crate) struct PendingEvents {
    events: KVVec<Atomic<u32>>,
    /// ... and of those that the notify thread told of, but not all of the listeners.
    crowds: KVVec<Atomic<u32>>,
    waker: Arc<Waker>,
}

impl PendingEvents {
    /// Allocates a word for each partition. Context: thread, may sleep.
    pub(crate) fn new(count: u32, waker: Arc<Waker>) -> Result<Self> {
        let words = || table::collect((0..count).map(|_| Atomic::new(0)), SETUP_FLAGS);
        Ok(Self {
            events: words()?,
            crowds: words()?,
            waker,
        })
    }

    /// Has the notify thread deliver events of the types in `types`, bits 1 << type.
    /// Context: any but NMI.
    pub(crate) fn put(&self, id: PartitionId, types: u32) {
        add(&self.events, id, types);
        self.waker.wake();
    }

    /// Takes the types of events to deliver for a partition; 0 for none. Context: the
    /// notify thread.
    pub(crate) fn take(&self, id: PartitionId) -> u32 {
        take(&self.events, id)
    }

    /// Has the crowd of a partition told of events of the types in `types`. The caller wakes
    /// the thread that does. Context: any but NMI.
    pub(super) fn put_crowd(&self, id: PartitionId, types: u32) {
        add(&self.crowds, id, types);
    }

    /// Takes the types of events to tell the crowd of a partition of; 0 for none. Context:
    /// the thread that tells crowds.
    pub(crate) fn take_crowd(&self, id: PartitionId) -> u32 {
        // Asked often, and for nothing.
        let word = self.crowds.get(id.0 as usize);
        match word.is_some_and(|word| word.load(Relaxed) != 0) {
            true => take(&self.crowds, id),
            false => 0,
        }
    }
}

/// Sets the bits `types` in the word of a partition. The cmpxchg fails only if that of
/// another CPU succeeded.
fn add(words: &[Atomic<u32>], id: PartitionId, types: u32) {
    if let Some(word) = words.get(id.0 as usize) {
        let mut old = word.load(Relaxed);
        // Full, even if the bits are set already: the record was written before. Pairs with
        // the xchg in `take`.
        // loop-bound: contenders
        while let Err(now) = word.cmpxchg(old, old | types, Full) {
            old = now;
        }
    }
}

/// Clears the word of a partition; what was in it.
fn take(words: &[Atomic<u32>], id: PartitionId) -> u32 {
    // Full: pairs with the cmpxchg in `add`.
    words
        .get(id.0 as usize)
        .map_or(0, |word| word.xchg(0, Full))
}
