// SPDX-License-Identifier: GPL-2.0

//! The account of a partition.

use super::{queue::Queue, Frames, MAX_SLICES, NONE};

/// What happened on an account since it was opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Leases granted.
    pub borrows: u64,
    /// Leases given back.
    pub returns: u64,
    /// Leases renewed.
    pub renewals: u64,
    /// Leases recalled.
    pub recalls: u64,
    /// Leases ended by force.
    pub revocations: u64,
    /// Leases that a driver did not return in time.
    pub overdues: u64,
    /// Requests that had to wait.
    pub waits: u64,
    /// Requests refused because of the own limit.
    pub budget_refusals: u64,
    /// Requests refused for lack of free frames.
    pub pool_refusals: u64,
    /// Requests refused because a table was full.
    pub table_refusals: u64,
}

/// An account. An unused one has no owner and no frames.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub(super) used: bool,
    pub(super) dying: bool,
    /// Closed, but with frames in quarantine.
    pub(super) ghost: bool,
    pub(super) owner: u32,
    pub(super) reserve: Frames,
    /// Frames of a reserve that is not of the pool; only its owner's ceiling counts them.
    pub(super) elsewhere: Frames,
    pub(super) limit: Frames,
    pub(super) max_leases: u32,
    /// Frames on lease.
    pub(super) lent: Frames,
    pub(super) lent_peak: Frames,
    /// Frames on lease or waited for in the pool's queue.
    pub(super) charged: Frames,
    pub(super) waiting: u32,
    /// Slices in use, one bit each.
    pub(super) slices: u64,
    /// The lease in each slice.
    pub(super) places: [u32; MAX_SLICES as usize],
    /// Requests that wait for budget.
    pub(super) queue: Queue,
    /// Whether it is on the chain of the hopeful, and who is behind it there. Not
    /// reset with the rest.
    pub(super) hopeful: bool,
    pub(super) next_hopeful: u32,
    pub(super) counters: Counters,
}

impl Account {
    /// Unused.
    pub const EMPTY: Self = Self {
        used: false,
        dying: false,
        ghost: false,
        owner: 0,
        reserve: 0,
        elsewhere: 0,
        limit: 0,
        max_leases: 0,
        lent: 0,
        lent_peak: 0,
        charged: 0,
        waiting: 0,
        slices: 0,
        places: [NONE; MAX_SLICES as usize],
        queue: Queue::EMPTY,
        hopeful: false,
        next_hopeful: NONE,
        counters: Counters {
            borrows: 0,
            returns: 0,
            renewals: 0,
            recalls: 0,
            revocations: 0,
            overdues: 0,
            waits: 0,
            budget_refusals: 0,
            pool_refusals: 0,
            table_refusals: 0,
        },
    };

    /// Makes it that of a new partition, or of none.
    pub(super) fn replace(&mut self, new: Self) {
        *self = Self {
            hopeful: self.hopeful,
            next_hopeful: self.next_hopeful,
            ..new
        };
    }

    /// Frames committed.
    pub fn reserve(&self) -> Frames {
        self.reserve
    }

    /// Frames its owner is charged for.
    pub(super) fn owned(&self) -> u64 {
        u64::from(self.reserve) + u64::from(self.elsewhere)
    }

    /// Frames it may have on lease.
    pub fn limit(&self) -> Frames {
        self.limit
    }

    /// Frames on lease.
    pub fn lent(&self) -> Frames {
        self.lent
    }

    /// The most frames on lease since the peak was reset.
    pub fn lent_peak(&self) -> Frames {
        self.lent_peak
    }

    /// Leases, waiting ones included.
    pub fn leases(&self) -> u32 {
        self.slices.count_ones()
    }

    /// Requests that wait.
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Whether it was destroyed.
    pub fn dying(&self) -> bool {
        self.dying
    }

    /// What happened since it was opened.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether so many more frames stay within the limit.
    pub(super) fn affords(&self, frames: Frames) -> bool {
        self.charged
            .checked_add(frames)
            .is_some_and(|charged| charged <= self.limit)
    }
}
