// SPDX-License-Identifier: GPL-2.0

//! The end of a lease: claimed by one party, credited when its frames are free.

use core::ops::DerefMut;

use super::{
    super::owner::Owner, Account, Accounting, AccountingError, EndReason, Lease, LeaseId,
    LeaseState, PartitionId,
};

impl<A, L, H> Accounting<A, L, H>
where
    A: DerefMut<Target = [Account]>,
    L: DerefMut<Target = [Lease]>,
    H: DerefMut<Target = [u32]>,
{
    /// Makes the caller the one who ends a lease, [`EndReason::Returned`] or by force. It
    /// stays on the heap, so that somebody looks after the caller if the lease expires
    /// meanwhile. Busy for a driver's lease that is not being returned. O(1).
    pub fn claim(
        &mut self,
        p: PartitionId,
        handle: u64,
        how: EndReason,
    ) -> Result<LeaseId, AccountingError> {
        let lease = self.find(p, handle)?;
        let entry = self.lease_mut(lease.0);
        if entry.is_non_revocable() && how != EndReason::Returned {
            return Err(AccountingError::Busy);
        }
        if entry.state == LeaseState::Overdue {
            let frames = entry.frames;
            self.totals.overdue -= frames;
            self.totals.lent += frames;
        }
        self.lease_mut(lease.0).state = LeaseState::Ending;
        Ok(lease)
    }

    /// Undoes a claim: the lease goes on as it was. O(1).
    pub fn unclaim(&mut self, lease: LeaseId) {
        let entry = self.lease_mut(lease.0);
        if entry.state != LeaseState::Ending {
            return;
        }
        // Due for ever: it was given up before.
        if entry.is_non_revocable() && entry.due == u64::MAX {
            self.enter_overdue(lease.0);
        } else {
            entry.state = LeaseState::Active;
        }
    }

    /// Makes a request or a lease one of a driver's, which is never ended by force.
    /// Before it can be due. O(1).
    pub fn make_non_revocable(&mut self, lease: LeaseId) {
        self.lease_mut(lease.0).owner = Owner::Driver;
    }

    /// Counts a driver's lease as overdue, from when it expired. O(1).
    pub(super) fn mark_overdue(&mut self, index: u32) {
        let Lease {
            state, partition, ..
        } = *self.entry(index);
        // Who returns it just now is not late.
        if matches!(state, LeaseState::Active | LeaseState::Recalled) {
            self.account_of(partition).counters.overdues += 1;
            self.enter_overdue(index);
        }
    }

    fn enter_overdue(&mut self, index: u32) {
        let entry = self.lease_mut(index);
        entry.state = LeaseState::Overdue;
        let frames = entry.frames;
        self.totals.lent -= frames;
        self.totals.overdue += frames;
    }

    /// The frames of a claimed lease are free again. If its borrower does not know
    /// yet that it had them, the entry stays for it. Call [`Self::serve`]
    /// afterwards. O(log leases), and as many steps as there are waiters.
    pub fn complete_return(&mut self, lease: LeaseId, how: EndReason) {
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
        self.unschedule(index);
        let account = self.account_of(partition);
        account.lent -= frames;
        account.charged -= frames;
        match how {
            EndReason::Returned => account.counters.returns += 1,
            EndReason::Revoked => account.counters.revocations += 1,
            EndReason::Abandoned => {}
        }
        self.totals.lent -= frames;
        self.totals.free += frames;
        self.release_slice(index);
        if acknowledged {
            self.release_lease(index);
        } else {
            self.lease_mut(index).state = LeaseState::Over;
        }
        self.promote(partition);
    }

    /// Lets a lease run for another term, from `now`. Not while anybody waits for
    /// frames. O(log leases).
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
        if !self.queue.is_empty() {
            return Err(AccountingError::Waited);
        }
        let expires = now.saturating_add(term);
        let lease = self.lease_mut(index);
        lease.state = LeaseState::Active;
        lease.expires = expires;
        self.schedule(index, expires.saturating_sub(self.limits.grace_ns));
        self.account_of(p).counters.renewals += 1;
        Ok(expires)
    }
}
