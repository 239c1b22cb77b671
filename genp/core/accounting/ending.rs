// SPDX-License-Identifier: GPL-2.0

//! The end of a lease: one party claims it, and completes its return when its frames
//! are free.

use super::{
    super::{count::Count, owner::Owner},
    Accounting, AccountingError, EndReason, Lease, LeaseId, LeaseState, Memory, PartitionId,
};

impl<M: Memory> Accounting<M> {
    /// Claims a lease for the caller, which then ends it: by its return, or by force. It
    /// stays on the heap, so that it is revoked on time if the caller is slow. O(1).
    ///
    /// Errors: as [`Self::find`]; [`AccountingError::Busy`] for a driver's lease that is
    /// not being returned.
    pub fn claim(
        &mut self,
        p: PartitionId,
        handle: u64,
        reason: EndReason,
    ) -> Result<LeaseId, AccountingError> {
        let lease = self.find(p, handle)?;
        let entry = self.lease_mut(lease.0);
        if entry.is_non_revocable() && reason != EndReason::Returned {
            return Err(AccountingError::Busy);
        }
        if entry.state == LeaseState::Overdue {
            let frames = entry.frames;
            self.totals.overdue.lower(frames);
            self.totals.lent.raise(frames);
        }
        self.lease_mut(lease.0).state = LeaseState::Ending;
        Ok(lease)
    }

    /// Undoes [`Self::claim`]: the lease goes on as it was. O(1).
    pub fn unclaim(&mut self, lease: LeaseId) {
        let entry = self.lease_mut(lease.0);
        if entry.state != LeaseState::Ending {
            return;
        }
        // Never due again: it was overdue before.
        if entry.is_non_revocable() && entry.due == u64::MAX {
            self.enter_overdue(lease.0);
        } else {
            entry.state = LeaseState::Active;
        }
    }

    /// Makes a request or a lease a driver's, which is never ended by force. To be called
    /// before the lease can be due, under the same lock as [`Self::borrow`]. O(1).
    pub fn make_non_revocable(&mut self, lease: LeaseId) {
        self.lease_mut(lease.0).owner = Owner::Driver;
    }

    /// Marks a driver's lease as overdue when it expires. O(1).
    pub(super) fn mark_overdue(&mut self, index: u32) {
        let Lease {
            state, partition, ..
        } = *self.entry(index);
        // A driver that is returning it just now is not late.
        if matches!(state, LeaseState::Active | LeaseState::Recalled) {
            self.account_of(partition).counters.overdues.raise(1);
            self.enter_overdue(index);
        }
    }

    fn enter_overdue(&mut self, index: u32) {
        let entry = self.lease_mut(index);
        entry.state = LeaseState::Overdue;
        let frames = entry.frames;
        self.totals.lent.lower(frames);
        self.totals.overdue.raise(frames);
    }

    /// Ends a claimed lease whose frames are free again. If its borrower has not
    /// acknowledged it yet, the entry stays for it. Call [`Self::serve`] afterwards.
    /// O(log leases + log waiters).
    pub fn complete_return(&mut self, lease: LeaseId, reason: EndReason) {
        let index = lease.0;
        let Lease {
            state,
            partition,
            frames,
            acknowledged,
            ..
        } = *self.entry(index);
        if state != LeaseState::Ending {
            return;
        }
        if reason == EndReason::Returned {
            self.refund_lease(index);
        }
        self.unschedule(index);
        let account = self.account_of(partition);
        account.lent.lower(frames);
        account.charged.lower(frames);
        match reason {
            EndReason::Returned => account.counters.returns.raise(1),
            EndReason::Revoked => account.counters.revocations.raise(1),
            EndReason::Abandoned => {}
        }
        self.totals.lent.lower(frames);
        self.set_free(frames);
        self.release_slice(index);
        if acknowledged {
            self.release_lease(index);
        } else {
            self.lease_mut(index).state = LeaseState::Over;
        }
        self.promote(partition);
    }

    /// Extends a lease by another term from `now`, and returns its deadline. Times are
    /// in nanoseconds. O(log leases).
    ///
    /// Errors: [`AccountingError::Term`], [`AccountingError::Dying`]; as [`Self::find`],
    /// and [`AccountingError::Stale`] for an expired one; [`AccountingError::Waited`]
    /// while a request waits for frames; [`AccountingError::Pace`].
    pub fn renew(
        &mut self,
        p: PartitionId,
        handle: u64,
        now: u64,
        term: u64,
    ) -> Result<u64, AccountingError> {
        if term == 0 || term > self.limits.max_lease_ns {
            return Err(AccountingError::Term);
        }
        let index = self.find(p, handle)?.0;
        if self.account(p).dying {
            return Err(AccountingError::Dying);
        }
        if now >= self.entry(index).expires || self.entry(index).state == LeaseState::Overdue {
            return Err(AccountingError::Stale);
        }
        if !self.waiters.is_pool_queue_empty() {
            return Err(AccountingError::Waited);
        }
        self.check_pace(p, now).inspect_err(|_| {
            self.account_of(p).counters.pace_refusals.raise(1);
        })?;
        if self.entry(index).state == LeaseState::Recalled {
            // It was recalled, and will be again.
            self.charge_lease(index, now);
        }
        let expires = now.saturating_add(term);
        let lease = self.lease_mut(index);
        lease.state = LeaseState::Active;
        lease.granted = now;
        lease.expires = expires;
        self.schedule(index, expires.saturating_sub(self.limits.grace_ns));
        self.account_of(p).counters.renewals.raise(1);
        Ok(expires)
    }
}
