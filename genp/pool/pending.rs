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
    /// 1 for a partition with more listeners than the notify thread tells.
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
    /// Context: any but NMI. The cmpxchg fails only if that of another CPU succeeded.
    pub(crate) fn put(&self, id: PartitionId, types: u32) {
        if let Some(word) = self.events.get(id.0 as usize) {
            let mut old = word.load(Relaxed);
            // Full, even if the bits are set already: the record was written before.
            // Pairs with the xchg in `take`.
            while let Err(now) = word.cmpxchg(old, old | types, Full) {
                old = now;
            }
        }
        self.waker.wake();
    }

    /// Takes the types of events to deliver for a partition; 0 for none. Context: the
    /// notify thread.
    pub(crate) fn take(&self, id: PartitionId) -> u32 {
        // Full: pairs with the cmpxchg in `put`.
        self.events
            .get(id.0 as usize)
            .map_or(0, |word| word.xchg(0, Full))
    }

    /// Has the crowd of a partition told. The caller wakes the thread that does. Context: any.
    pub(super) fn put_crowd(&self, id: PartitionId) {
        if let Some(word) = self.crowds.get(id.0 as usize) {
            // Full, as in `put`.
            word.xchg(1, Full);
        }
    }

    /// Whether a partition has a crowd to tell; asks once. Context: any.
    pub(crate) fn take_crowd(&self, id: PartitionId) -> bool {
        let word = self.crowds.get(id.0 as usize);
        word.is_some_and(|word| word.load(Relaxed) != 0 && word.xchg(0, Full) != 0)
    }
}
