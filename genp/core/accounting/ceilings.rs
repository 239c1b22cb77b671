// SPDX-License-Identifier: GPL-2.0

//! The ceilings of a user besides that of frames: partitions, leases and waiters. Without
//! them the first user to come may take every entry of the tables that all share.
//!
//! An account can be exempt: it counts, and is never refused for its user.

use super::{super::count::Count, Accounting, AccountingError, Memory, PartitionId};

impl<M: Memory> Accounting<M> {
    /// Whether a user may have one more partition that is promised `leases` leases, and has
    /// accounts for `children`. O(log users).
    ///
    /// Errors: [`AccountingError::UserPartitions`], [`AccountingError::UserLeases`].
    pub fn check_user(
        &mut self,
        uid: u32,
        leases: u32,
        children: u32,
    ) -> Result<(), AccountingError> {
        let (most, has) = (self.limits.users, self.users.of(uid));
        let error = if has.accounts.saturating_add(children) >= most.partitions {
            AccountingError::UserPartitions
        } else if has.leases.saturating_add(leases) > most.leases {
            AccountingError::UserLeases
        } else {
            return Ok(());
        };
        self.note_ceiling();
        Err(error)
    }

    /// Promises leases to a new partition, which [`Self::check_user`] allowed or which is
    /// exempt. O(1).
    pub fn promise_leases(&mut self, p: PartitionId, leases: u32, exempt: bool) {
        let account = self.account_of(p);
        account.exempt = exempt;
        let before = core::mem::replace(&mut account.promised, leases);
        let user = account.user;
        self.users.take_back(user, before);
        self.users.promise(user, leases);
    }

    /// Whether a request of a partition may wait. O(1).
    pub(super) fn check_user_waits(&self, p: PartitionId) -> Result<(), AccountingError> {
        let account = self.account(p);
        let waiters = self.users.at(account.user).waiters;
        match account.exempt || waiters < self.limits.users.waiters {
            true => Ok(()),
            false => Err(AccountingError::UserWaiters),
        }
    }

    /// Counts a request that begins to wait. O(1).
    pub(super) fn count_waiter(&mut self, p: PartitionId) {
        let account = self.account_of(p);
        account.waiting.raise(1);
        let user = account.user;
        self.users.wait(user);
        self.totals.waiters.raise(1);
    }

    /// Counts one less. O(1).
    pub(super) fn uncount_waiter(&mut self, p: PartitionId) {
        let account = self.account_of(p);
        account.waiting.lower(1);
        let user = account.user;
        self.users.go_on(user);
        self.totals.waiters.lower(1);
    }

    /// Counts a refusal for a ceiling of a user.
    pub(super) fn note_ceiling(&mut self) {
        self.ceiling_refusals.raise(1);
    }

    /// How often something was refused for a ceiling of a user.
    pub fn ceiling_refusals(&self) -> u64 {
        self.ceiling_refusals
    }
}
