// SPDX-License-Identifier: GPL-2.0

//! The account of a partition.

use super::{
    super::{count::Count, recall_share::Pace},
    users::UserId,
    waiters::{OwnQueue, Slots},
    Frames, PartitionId, MAX_LEASES_PER_PARTITION, NONE,
};

/// What was counted on an account since it was opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountCounters {
    /// Leases granted.
    pub borrows: u64,
    /// Leases returned.
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
    /// Requests refused for lack of budget.
    pub budget_refusals: u64,
    /// Requests refused for lack of free frames.
    pub pool_refusals: u64,
    /// Requests refused because a table was full.
    pub table_refusals: u64,
    /// Requests and renewals refused because the partition caused too much work.
    pub pace_refusals: u64,
    /// Requests refused because as many of the user wait as may.
    pub ceiling_refusals: u64,
}

/// The account of one partition, or an unused entry.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub(super) used: bool,
    pub(super) dying: bool,
    /// Closed, but with committed frames in quarantine.
    pub(super) zombie: bool,
    /// The entry of its user.
    pub(super) user: UserId,
    /// Whether it is never refused for its user.
    pub(super) exempt: bool,
    /// Leases that count against the ceiling of its user.
    pub(super) promised: u32,
    pub(super) reserve: Frames,
    /// Frames of a reserve that are not of the pool. Only the ceiling of the user counts
    /// them.
    pub(super) external: Frames,
    pub(super) limit: Frames,
    /// The partition that it is part of, and how many there are above it.
    pub(super) parent: Option<PartitionId>,
    pub(super) depth: u32,
    /// Committed frames that are for children and that no child has.
    pub(super) quota: Frames,
    /// Frames that children, and theirs, have.
    pub(super) given: Frames,
    /// Frames of the reserve that are the quota's when they are free.
    pub(super) due: Frames,
    /// Accounts that are for children and that no child has, and children.
    pub(super) slots: u32,
    pub(super) children: u32,
    /// What children, and theirs, may have on lease; it is not part of `limit`.
    pub(super) limit_given: Frames,
    pub(super) max_leases: u32,
    /// Frames on lease, overdue ones included.
    pub(super) lent: Frames,
    pub(super) lent_peak: Frames,
    /// Frames on lease, and of requests in the pool's queue: what counts against `limit`.
    pub(super) charged: Frames,
    pub(super) waiting: u32,
    /// Slices in use, one bit each.
    pub(super) slices: u64,
    /// The lease in each slice.
    pub(super) slice_leases: [u32; MAX_LEASES_PER_PARTITION as usize],
    /// The partition's queue: requests that wait for budget.
    pub(super) queue: OwnQueue,
    /// Whether it is in the list of ready accounts, and the next one there. Not reset
    /// with the rest.
    pub(super) ready: bool,
    pub(super) next_ready: u32,
    /// How far it is ahead with the recall thread's work. Not reset with the rest, so that
    /// nobody gets a fresh one by creating a partition anew.
    pub(super) pace: Pace,
    /// How often its lease window is mapped.
    pub(super) mappings: u32,
    pub(super) counters: AccountCounters,
}

impl Account {
    /// An unused entry, for initial tables.
    pub const EMPTY: Self = Self {
        used: false,
        dying: false,
        zombie: false,
        user: UserId::NONE,
        exempt: false,
        promised: 0,
        reserve: 0,
        external: 0,
        limit: 0,
        parent: None,
        depth: 0,
        quota: 0,
        given: 0,
        due: 0,
        slots: 0,
        children: 0,
        limit_given: 0,
        max_leases: 0,
        lent: 0,
        lent_peak: 0,
        charged: 0,
        waiting: 0,
        slices: 0,
        slice_leases: [NONE; MAX_LEASES_PER_PARTITION as usize],
        queue: OwnQueue::new(Slots::EMPTY),
        ready: false,
        next_ready: NONE,
        pace: Pace::RESTED,
        mappings: 0,
        counters: AccountCounters {
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
            pace_refusals: 0,
            ceiling_refusals: 0,
        },
    };

    /// Empties it. Out of line, because it is large and nobody should come here.
    #[cold]
    #[inline(never)]
    pub(super) fn emptied(&mut self) -> &mut Self {
        *self = Self::EMPTY;
        self
    }

    /// Makes this an unused account. The lists keep what was in them, of which nothing is
    /// read as long as `slices` and the length of the queue say that they are empty.
    pub(super) fn reset(&mut self) {
        let Self {
            used,
            dying,
            zombie,
            user,
            exempt,
            promised,
            reserve,
            external,
            limit,
            parent,
            depth,
            quota,
            given,
            due,
            slots,
            children,
            limit_given,
            max_leases,
            lent,
            lent_peak,
            charged,
            waiting,
            slices,
            slice_leases: _,
            queue,
            ready: _,
            next_ready: _,
            pace: _,
            mappings,
            counters,
        } = self;
        (*used, *dying, *zombie) = (false, false, false);
        (*user, *exempt, *promised) = (UserId::NONE, false, 0);
        (*reserve, *external, *limit) = (0, 0, 0);
        (*parent, *depth, *slots, *children) = (None, 0, 0, 0);
        (*quota, *given, *due, *limit_given) = (0, 0, 0, 0);
        (*lent, *lent_peak, *charged) = (0, 0, 0);
        (*max_leases, *waiting, *mappings) = (0, 0, 0);
        *slices = 0;
        queue.clear();
        *counters = AccountCounters::default();
    }

    /// Frames committed.
    pub fn reserve(&self) -> Frames {
        self.reserve
    }

    /// The most frames it may have on lease.
    pub fn limit(&self) -> Frames {
        self.limit
    }

    /// The partition that it is part of.
    pub fn parent(&self) -> Option<PartitionId> {
        self.parent
    }

    /// How many partitions it is part of.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Frames that it has for children, those that they have included, and those that are
    /// still in quarantine.
    pub fn quota(&self) -> Frames {
        self.quota.plus(self.given).plus(self.due)
    }

    /// Frames that its children, and theirs, have.
    pub fn given(&self) -> Frames {
        self.given
    }

    /// What its children, and theirs, may have on lease.
    pub fn limit_given(&self) -> Frames {
        self.limit_given
    }

    /// How many children it has, those included that ended and have frames in quarantine.
    pub fn children(&self) -> u32 {
        self.children
    }

    /// Accounts for children that no child has.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Frames on lease, overdue ones included.
    pub fn lent(&self) -> Frames {
        self.lent
    }

    /// The most frames on lease since [`super::Accounting::reset_peak`].
    pub fn lent_peak(&self) -> Frames {
        self.lent_peak
    }

    /// Leases, waiting ones included.
    pub fn leases(&self) -> u32 {
        self.slices.count_ones()
    }

    /// The most leases it may have, waiting ones included.
    pub fn max_leases(&self) -> u32 {
        self.max_leases
    }

    /// Waiting requests.
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// What was counted since it was opened.
    pub fn counters(&self) -> &AccountCounters {
        &self.counters
    }

    /// Whether the limit allows `frames` more.
    pub(super) fn has_budget_for(&self, frames: Frames) -> bool {
        self.charged
            .checked_add(frames)
            .is_some_and(|charged| charged <= self.limit)
    }
}
