// SPDX-License-Identifier: GPL-2.0

//! The end of a lease: claimed by one party, credited when its frames are free.

use core::ops::DerefMut;

use super::{Account, Books, Error, How, Lease, LeaseId, PartitionId, State};

impl<A, L, H> Books<A, L, H>
where
    A: DerefMut<Target = [Account]>,
    L: DerefMut<Target = [Lease]>,
    H: DerefMut<Target = [u32]>,
{
    /// Makes the caller the one who ends a lease, [`How::Returned`] or by force. It
    /// stays on the heap, so that somebody looks after the caller if the lease expires
    /// meanwhile. Busy for a driver's lease that is not being returned. O(1).
    pub fn claim(&mut self, p: PartitionId, handle: u64, how: How) -> Result<LeaseId, Error> {
        let lease = self.find(p, handle)?;
        let entry = self.lease_mut(lease.0);
        if entry.firm && how != How::Returned {
            return Err(Error::Busy);
        }
        if entry.state == State::Overdue {
            let frames = entry.frames;
            self.totals.overdue -= frames;
            self.totals.lent += frames;
        }
        self.lease_mut(lease.0).state = State::Ending;
        Ok(lease)
    }

    /// Undoes a claim: the lease goes on as it was. O(1).
    pub fn unclaim(&mut self, lease: LeaseId) {
        let entry = self.lease_mut(lease.0);
        if entry.state != State::Ending {
            return;
        }
        // Due for ever: it was given up before.
        if entry.firm && entry.due == u64::MAX {
            self.count_overdue(lease.0);
        } else {
            entry.state = State::Active;
        }
    }

    /// Makes a request or a lease one of a driver's, which is never ended by force.
    /// Before it can be due. O(1).
    pub fn make_firm(&mut self, lease: LeaseId) {
        self.lease_mut(lease.0).firm = true;
    }

    /// Counts a driver's lease as overdue, from when it expired. O(1).
    pub(super) fn give_up(&mut self, index: u32) {
        let Lease {
            state, partition, ..
        } = *self.entry(index);
        // Who returns it just now is not late.
        if matches!(state, State::Active | State::Recalled) {
            self.account_of(partition).counters.overdues += 1;
            self.count_overdue(index);
        }
    }

    fn count_overdue(&mut self, index: u32) {
        let entry = self.lease_mut(index);
        entry.state = State::Overdue;
        let frames = entry.frames;
        self.totals.lent -= frames;
        self.totals.overdue += frames;
    }

    /// The frames of a claimed lease are free again. If its borrower does not know
    /// yet that it had them, the entry stays for it. Call [`Self::serve`]
    /// afterwards. O(log leases), and as many steps as there are waiters.
    pub fn credit(&mut self, lease: LeaseId, how: How) {
        let index = lease.0;
        let Lease {
            state,
            partition,
            frames,
            seen,
            ..
        } = *self.entry(index);
        if state != State::Ending {
            return;
        }
        self.unschedule(index);
        let account = self.account_of(partition);
        account.lent -= frames;
        account.charged -= frames;
        match how {
            How::Returned => account.counters.returns += 1,
            How::Revoked => account.counters.revocations += 1,
            How::Abandoned => {}
        }
        self.totals.lent -= frames;
        self.totals.free += frames;
        self.leave_slice(index);
        if seen {
            self.drop_lease(index);
        } else {
            self.lease_mut(index).state = State::Over;
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
    ) -> Result<u64, Error> {
        if term == 0 || term > self.limits.max_lease_ns {
            return Err(Error::Term);
        }
        let index = self.find(p, handle)?.0;
        if self.account(p).dying {
            return Err(Error::Dying);
        }
        if now >= self.entry(index).expires || self.entry(index).state == State::Overdue {
            return Err(Error::Stale);
        }
        if !self.queue.is_empty() {
            return Err(Error::Waited);
        }
        let expires = now.saturating_add(term);
        let lease = self.lease_mut(index);
        lease.state = State::Active;
        lease.expires = expires;
        self.schedule(index, expires.saturating_sub(self.limits.grace_ns));
        self.account_of(p).counters.renewals += 1;
        Ok(expires)
    }
}
