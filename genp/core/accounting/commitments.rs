// SPDX-License-Identifier: GPL-2.0

//! Commitments: which frames are reserved for whom, and when they come back.

use super::{
    super::count::{must_hold, Count},
    admission::{judge, Admission, User, Waiter},
    Account, Accounting, AccountingError, Frames, LeaseId, LeaseState, Memory, PartitionId, Share,
    MAX_LEASES_PER_PARTITION,
};

impl<M: Memory> Accounting<M> {
    /// Whether `frames` more can be committed. O(log waiters).
    fn check_admission(
        &mut self,
        frames: Frames,
        user: User,
        slots: Option<u32>,
    ) -> Result<(), AccountingError> {
        let most = self.waiters.most_wanted(self.totals.lendable());
        let waiters = most.map(Waiter::Wants);
        match judge(&self.totals, slots, user, frames, waiters) {
            Admission::Admitted => Ok(()),
            Admission::Refused(AccountingError::Ceiling) => {
                self.note_ceiling();
                Err(AccountingError::Ceiling)
            }
            Admission::Refused(error) => Err(error),
            // Nothing is unknown here.
            Admission::Undecided => Err(AccountingError::NoSpace),
        }
    }

    /// The place of an account among the unused ones.
    fn vacant_rank(&self, p: PartitionId) -> usize {
        let key = |p: PartitionId| (self.account(p).pace.even_at(), p.0);
        self.vacant
            .rank(|other| key(PartitionId(other.into())) > key(p))
    }

    /// Takes an unused account from the list. O(log accounts).
    pub(super) fn unlist(&mut self, p: PartitionId) {
        let rank = self.vacant_rank(p);
        let removed = self.vacant.remove(rank);
        // CAST: there are at most 256 accounts.
        debug_assert_eq!(removed, Some(p.0 as u8));
    }

    /// Lists an unused account. O(log accounts).
    pub(super) fn vacate(&mut self, p: PartitionId) {
        let rank = self.vacant_rank(p);
        // CAST: there are at most 256 accounts.
        let done = self.vacant.insert(rank, p.0 as u8);
        must_hold(done);
    }

    /// Opens an account and commits its reserve: `reserve` frames for the user `uid`,
    /// which may have `ceiling` frames committed in all, [`Frames::MAX`] for no ceiling.
    /// `limit` and `max_leases` are what the partition may have on lease. O(log accounts +
    /// log waiters).
    ///
    /// Errors: those of [`judge`].
    pub fn admit(
        &mut self,
        uid: u32,
        ceiling: Frames,
        reserve: Frames,
        limit: Frames,
        max_leases: u32,
    ) -> Result<PartitionId, AccountingError> {
        let share = Share {
            reserve,
            quota: 0,
            children: 0,
            limit,
            max_leases,
        };
        self.admit_with(uid, ceiling, &share)
    }

    /// As [`Self::admit`], for a partition that may have children: their frames and their
    /// accounts are set aside.
    pub fn admit_with(
        &mut self,
        uid: u32,
        ceiling: Frames,
        share: &Share,
    ) -> Result<PartitionId, AccountingError> {
        let committed = share.reserve.checked_add(share.quota);
        let committed = committed.ok_or(AccountingError::NoSpace)?;
        let slots = (self.accounts.len() as u32).saturating_sub(share.children);
        let user = self.users.of(uid).under(ceiling);
        self.check_admission(committed, user, Some(slots))?;
        let id = self.open_account(share)?;
        let accounts = share.children.plus(1);
        let user = self.users.join(uid, accounts);
        self.users.charge(user, committed);
        self.account_of(id).user = user;
        self.totals.partitions.raise(accounts);
        self.totals.committed.raise(committed);
        self.totals.free.lower(committed);
        Ok(id)
    }

    /// Takes an unused account for a share; whose it is, the caller says. O(log accounts).
    pub(super) fn open_account(&mut self, share: &Share) -> Result<PartitionId, AccountingError> {
        // The one that is longest within its part of the recall thread's work.
        let last = self.vacant.len().saturating_sub(1);
        let id = self.vacant.remove(last);
        let id = PartitionId(id.ok_or(AccountingError::NoPartitionSlot)?.into());
        let account = self.account_of(id);
        account.used = true;
        account.reserve = share.reserve;
        account.quota = share.quota;
        account.slots = share.children;
        account.limit = share.limit;
        account.max_leases = share.max_leases.min(MAX_LEASES_PER_PARTITION);
        Ok(id)
    }

    /// Charges the user of a new account for a reserve of frames that are not of the
    /// pool, until [`Self::close`]. O(1).
    ///
    /// Errors: [`AccountingError::Ceiling`].
    pub fn charge_external(
        &mut self,
        p: PartitionId,
        frames: Frames,
        ceiling: Frames,
    ) -> Result<(), AccountingError> {
        let user = self.account(p).user;
        if let Err(error) = self.users.at(user).under(ceiling).check(frames) {
            self.note_ceiling();
            return Err(error);
        }
        let before = core::mem::replace(&mut self.account_of(p).external, frames);
        self.users.refund(user, before);
        self.users.charge(user, frames);
        Ok(())
    }

    /// Commits `frames` more to a partition; to a child out of its parent's quota. O(log
    /// waiters).
    ///
    /// Errors: [`AccountingError::NoSpace`], [`AccountingError::Ceiling`].
    pub fn commit_more(
        &mut self,
        p: PartitionId,
        frames: Frames,
        ceiling: Frames,
    ) -> Result<(), AccountingError> {
        let Account { user, parent, .. } = *self.account(p);
        if let Some(parent) = parent {
            self.take_of_quota(parent, frames)?;
            self.account_of(p).reserve.raise(frames);
            return Ok(());
        }
        let under = self.users.at(user).under(ceiling);
        self.check_admission(frames, under, None)?;
        self.account_of(p).reserve.raise(frames);
        self.users.charge(user, frames);
        self.totals.committed.raise(frames);
        self.totals.free.lower(frames);
        Ok(())
    }

    /// Commits `frames` more to a stock, without a ceiling, unless a request waits. O(1).
    ///
    /// Errors: [`AccountingError::Waited`], [`AccountingError::NoSpace`].
    pub fn commit_spare(&mut self, p: PartitionId, frames: Frames) -> Result<(), AccountingError> {
        if self.totals.waiters > 0 {
            return Err(AccountingError::Waited);
        }
        self.commit_more(p, frames, Frames::MAX)
    }

    /// Takes back `frames` committed frames that are free again. The last ones of a
    /// closed account release it. Those of a child are its parent's. Call [`Self::serve`]
    /// afterwards. O(depth log accounts).
    ///
    /// Errors: [`AccountingError::NoSpace`] for more than are committed.
    pub fn commit_less(&mut self, p: PartitionId, frames: Frames) -> Result<(), AccountingError> {
        let account = self.account_of(p);
        let left = account
            .reserve
            .checked_sub(frames)
            .ok_or(AccountingError::NoSpace)?;
        account.reserve = left;
        self.hand_back(p, frames);
        self.reap(p);
        Ok(())
    }

    /// Releases a closed account that has neither committed frames nor children any longer,
    /// and then those above it that stayed for it. O(depth log accounts).
    fn reap(&mut self, p: PartitionId) {
        let mut at = Some(p);
        // loop-bound: MAX_DEPTH + 1
        while let Some(p) = at {
            let account = self.account_of(p);
            if !account.zombie || account.reserve > 0 || account.children > 0 {
                return;
            }
            let (user, promised) = (account.user, account.promised);
            let (parent, accounts) = (account.parent, account.slots.plus(1));
            account.reset();
            self.users.take_back(user, promised);
            match parent {
                Some(parent) => {
                    let above = self.account_of(parent);
                    above.slots.raise(accounts);
                    above.children.lower(1);
                }
                None => {
                    self.users.leave(user, accounts);
                    self.totals.partitions.lower(accounts);
                }
            }
            self.vacate(p);
            at = parent;
        }
    }

    /// Changes the limit of a partition. Leases beyond a lower limit run until they end.
    /// Call [`Self::serve`] afterwards. O(log waiters).
    ///
    /// Errors: [`AccountingError::Dying`].
    pub fn set_limit(&mut self, p: PartitionId, limit: Frames) -> Result<(), AccountingError> {
        if self.account(p).dying {
            return Err(AccountingError::Dying);
        }
        self.account_of(p).limit = limit;
        self.promote(p);
        Ok(())
    }

    /// Ends borrowing for a partition: there are no new requests. What it has is ended by
    /// [`Self::close_slice`]. O(1).
    pub fn begin_close(&mut self, p: PartitionId) {
        self.account_of(p).dying = true;
    }

    /// Ends what lies in a slice of a partition that is being closed: a request gets
    /// [`super::RequestOutcome::Died`], and its waiter is to be woken; a running lease is
    /// due at once, except one of a driver. O(log leases + log waiters).
    pub fn close_slice(&mut self, p: PartitionId, slice: u32) -> Option<LeaseId> {
        let lease = self.lease_at(p, slice)?;
        let index = lease.0;
        match self.entry(index).state {
            LeaseState::BudgetWait | LeaseState::PoolWait => {
                self.stop_waiting(index);
                self.lease_mut(index).state = LeaseState::Died;
                return Some(lease);
            }
            LeaseState::Active | LeaseState::Recalled if !self.entry(index).is_non_revocable() => {
                self.schedule(index, 0);
            }
            _ => {}
        }
        None
    }

    /// Closes the account of a partition without leases, of whose committed frames
    /// `frames` are not free yet. The account stays, charged to its user, until
    /// [`Self::commit_less`] has taken them back, and its children are closed. What it had
    /// for children is free. O(depth log accounts + log waiters).
    ///
    /// Errors: [`AccountingError::Busy`] if it has leases,
    /// [`AccountingError::NoSpace`] for more frames than are committed.
    pub fn close(&mut self, p: PartitionId, frames: Frames) -> Result<(), AccountingError> {
        let account = self.account_of(p);
        if account.slices != 0 {
            return Err(AccountingError::Busy);
        }
        let freed = account
            .reserve
            .checked_sub(frames)
            .ok_or(AccountingError::NoSpace)?;
        account.dying = true;
        account.zombie = true;
        let quota = core::mem::take(&mut account.quota);
        account.reserve.raise(quota);
        account.due = 0;
        let limit = core::mem::take(&mut account.limit);
        let (user, external) = (account.user, core::mem::take(&mut account.external));
        self.users.refund(user, external);
        self.hand_back_limit(p, limit);
        self.commit_less(p, freed.plus(quota))
    }
}
