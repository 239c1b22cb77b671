// SPDX-License-Identifier: GPL-2.0

//! What partitions cause the recall thread: charged before it is caused, and given back
//! for what did not happen. See [`recall_share`].
//!
//! [`recall_share`]: super::super::recall_share

use super::{
    super::{
        count::Count,
        recall_share::{lease_work, Pace, WAKE_NS},
    },
    Account, Accounting, AccountingError, Frames, Lease, Memory, PartitionId, NONE,
};

impl<M: Memory> Accounting<M> {
    /// Refuses a partition that caused too much. O(1).
    pub(super) fn check_pace(&self, p: PartitionId, now: u64) -> Result<(), AccountingError> {
        let account = self.account(p);
        let window = self
            .limits
            .share
            .window_ns(account.max_leases, account.limit);
        match account.pace.allows(now, window) {
            true => Ok(()),
            false => Err(AccountingError::Pace),
        }
    }

    /// Closes a new account again, if those who had its place before caused too much.
    /// Otherwise, whoever creates and closes partitions could go on without end. O(1).
    pub fn check_new(&mut self, p: PartitionId, now: u64) -> Result<(), AccountingError> {
        self.check_pace(p, now).inspect_err(|_| {
            // It has no leases.
            let _ = self.close(p, 0);
        })
    }

    /// As [`Self::commit_more`], for a partition that has not caused too much.
    ///
    /// Errors: [`AccountingError::Pace`], and those of [`Self::commit_more`].
    pub fn grow(
        &mut self,
        p: PartitionId,
        frames: Frames,
        ceiling: Frames,
        now: u64,
    ) -> Result<(), AccountingError> {
        self.check_pace(p, now).inspect_err(|_| {
            self.account_of(p).counters.pace_refusals.raise(1);
        })?;
        self.commit_more(p, frames, ceiling)
    }

    /// O(1), for a partition that was closed meanwhile O(log accounts): the order of the
    /// unused ones depends on it.
    fn charge(&mut self, p: PartitionId, now: u64, work: u64) {
        let time = self.limits.share.time_for(work);
        let vacant = !self.account(p).used;
        if vacant {
            self.unlist(p);
        }
        self.account_of(p).pace.charge(now, time);
        if vacant {
            self.vacate(p);
        }
    }

    /// Charges a lease for its end. O(1).
    pub(super) fn charge_lease(&mut self, index: u32, now: u64) {
        let Lease {
            partition, frames, ..
        } = *self.entry(index);
        let work = lease_work(frames, self.account(partition).mappings);
        self.lease_mut(index).work = work;
        self.charge(partition, now, work);
    }

    /// Gives back what a lease or a request was charged that did not keep the recall
    /// thread busy. O(1).
    pub(super) fn refund_lease(&mut self, index: u32) {
        let lease = self.lease_mut(index);
        let (p, work) = (lease.partition, core::mem::take(&mut lease.work));
        let time = self.limits.share.time_for(work);
        self.account_of(p).pace.refund(time);
    }

    /// Charges a partition for a wake-up of a thread. O(1).
    pub fn charge_wake(&mut self, p: PartitionId, now: u64) {
        self.charge_wakes(p, now, 1);
    }

    /// As [`Self::charge_wake`], for `count` of them.
    pub fn charge_wakes(&mut self, p: PartitionId, now: u64, count: u32) {
        self.charge(p, now, WAKE_NS.saturating_mul(count.into()));
    }

    /// Charges for a wake-up of the recall thread: whose lease is due first, or else who
    /// waits first. O(1).
    pub fn charge_recall_wake(&mut self, is_due: bool, now: u64) {
        let index = match is_due {
            true => self.first_due(),
            false => self.waiters.first_lease(),
        };
        if index != NONE {
            self.charge_wake(self.entry(index).partition, now);
        }
    }

    /// Charges a partition for mapping a lease of `pages` pages once more, unless it was
    /// charged for all that can be mapped already. O(1).
    pub fn charge_mapping(&mut self, p: PartitionId, now: u64, pages: u32) {
        /// Windows, each of which is for all leases in two mappings, and there are 16.
        const MOST: u64 = 10;

        let Account {
            pace,
            max_leases,
            limit,
            ..
        } = *self.account(p);
        let window = self.limits.share.window_ns(max_leases, limit);
        if pace.allows(now, window.saturating_mul(MOST)) {
            self.charge(p, now, lease_work(pages, 1));
        }
    }

    /// Forgets what a partition caused so far, for one that measures. O(1).
    pub fn forget_pace(&mut self, p: PartitionId) {
        self.account_of(p).pace = Pace::RESTED;
    }

    /// Says how often the lease window of a partition is mapped. O(1).
    pub fn set_mappings(&mut self, p: PartitionId, mappings: u32) {
        self.account_of(p).mappings = mappings;
    }
}
