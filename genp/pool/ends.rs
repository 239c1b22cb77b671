// SPDX-License-Identifier: GPL-2.0

//! The leases that are to be ended by force, in the order of their deadlines.

use kernel::prelude::*;

use crate::genp::{
    core::accounting::{LeaseId, PartitionId},
    sys::{alloc_flags::SETUP_FLAGS, table},
};

/// A lease of a process whose deadline has passed.
#[derive(Clone, Copy)]
pub(crate) struct OverdueLease {
    pub(crate) partition: PartitionId,
    pub(crate) handle: u64,
    pub(crate) expires: u64,
}

/// A queue of leases. Each entry of the table of leases is in it once at most, so it is
/// never full.
pub(crate) struct Ends {
    /// The queue, a ring of which `len` entries from `first` on are taken.
    ring: KVVec<u32>,
    first: u32,
    len: u32,
    /// By entry of the table: the lease with which it is in the queue.
    leases: KVVec<Option<OverdueLease>>,
    /// Whether the one that was taken last is not over yet.
    under_way: bool,
}

impl Ends {
    /// An empty queue for as many leases as there can be. Context: thread, may sleep.
    pub(crate) fn new(max_leases: u32) -> Result<Self> {
        Ok(Self {
            ring: table::collect((0..max_leases).map(|_| 0), SETUP_FLAGS)?,
            first: 0,
            len: 0,
            leases: table::collect((0..max_leases).map(|_| None), SETUP_FLAGS)?,
            under_way: false,
        })
    }

    fn entry(&mut self, at: u32) -> Option<&mut u32> {
        // CAST: as many as there were leases.
        let size = self.ring.len() as u32;
        let at = self.first.saturating_add(at).checked_rem(size)?;
        self.ring.get_mut(at as usize)
    }

    /// Adds a lease. If its entry is queued for an older one, which somebody else has ended
    /// meanwhile, it takes that one's place. O(1).
    pub(crate) fn push(&mut self, id: LeaseId, lease: OverdueLease) {
        let Some(queued) = self.leases.get_mut(id.0 as usize) else {
            return;
        };
        if queued.replace(lease).is_some() {
            return;
        }
        if let Some(entry) = self.entry(self.len) {
            *entry = id.0;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Takes the first lease, once the one before it is over. O(1).
    pub(crate) fn pop(&mut self) -> Option<OverdueLease> {
        self.under_way = self.len > 0;
        if !self.under_way {
            return None;
        }
        let id = *self.entry(0)?;
        self.first = self.first.saturating_add(1);
        if self.first as usize >= self.ring.len() {
            self.first = 0;
        }
        self.len = self.len.saturating_sub(1);
        self.leases.get_mut(id as usize)?.take()
    }

    /// Whether any lease is to be ended, or is being ended. O(1).
    pub(crate) fn any(&self) -> bool {
        self.under_way || self.len > 0
    }
}
