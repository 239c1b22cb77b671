// SPDX-License-Identifier: GPL-2.0

//! Partitions of a partition: what a child has comes out of what was set aside for children
//! when its parent was admitted, and goes back there.
//!
//! Three things are set aside: frames (the quota), places in the table of accounts, and, out
//! of the own borrow limit, frames on lease. Each is a sum that giving and taking back leave
//! as it is, so neither asks the pool, nor the ceiling of the user, who is the parent's.
//!
//! A closed account with children stays, empty, until they are gone: what they give back
//! passes through it. So the number of a parent is its own as long as there is a child.

use super::{super::count::Count, Accounting, AccountingError, Frames, Memory, PartitionId};

/// The most accounts above one another, less one: that of the pool's own partitions is 0.
pub const MAX_DEPTH: u32 = 4;

/// What a new child gets of its parent.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Frames committed for itself.
    pub reserve: Frames,
    /// Frames set aside for its own children.
    pub quota: Frames,
    /// Children, and theirs, that it may have.
    pub children: u32,
    /// Frames it may have on lease.
    pub limit: Frames,
    /// Leases it may have.
    pub max_leases: u32,
}

impl<M: Memory> Accounting<M> {
    /// Whether a share can be given. O(1).
    fn check_share(&self, parent: PartitionId, share: &Share) -> Result<(), AccountingError> {
        let account = self.account(parent);
        if account.dying || !account.used {
            return Err(AccountingError::Dying);
        }
        if account.depth >= MAX_DEPTH {
            return Err(AccountingError::TooBig);
        }
        let frames = share.reserve.checked_add(share.quota);
        if frames.is_none_or(|frames| frames > account.quota) {
            return Err(AccountingError::NoSpace);
        }
        if account.slots <= share.children {
            return Err(AccountingError::NoPartitionSlot);
        }
        match account.has_budget_for(share.limit) {
            true => Ok(()),
            false => Err(AccountingError::Quota),
        }
    }

    /// Opens an account with a share of what `parent` has set aside. O(log accounts).
    ///
    /// Errors: [`AccountingError::Dying`]; [`AccountingError::TooBig`] for a parent that is
    /// a child of a child of ... already; [`AccountingError::NoSpace`],
    /// [`AccountingError::NoPartitionSlot`] and [`AccountingError::Quota`] if the parent has
    /// too few frames, places and frames to borrow left.
    pub fn admit_child(
        &mut self,
        parent: PartitionId,
        share: &Share,
    ) -> Result<PartitionId, AccountingError> {
        self.check_share(parent, share)?;
        // There is one: places are set aside.
        let id = self.open_account(share)?;
        let frames = share.reserve.plus(share.quota);
        let account = self.account_of(parent);
        account.quota.lower(frames);
        account.given.raise(frames);
        account.slots.lower(share.children.plus(1));
        account.children.raise(1);
        account.limit.lower(share.limit);
        account.limit_given.raise(share.limit);
        let (user, depth) = (account.user, account.depth.plus(1));
        let account = self.account_of(id);
        account.user = user;
        account.parent = Some(parent);
        account.depth = depth;
        Ok(id)
    }

    /// Whether the user of a partition may be promised `leases` more leases, as
    /// [`Self::check_user`]: places of accounts are its already. O(1).
    pub fn check_user_of(&mut self, p: PartitionId, leases: u32) -> Result<(), AccountingError> {
        let has = self.users.at(self.account(p).user).leases;
        if has.saturating_add(leases) > self.limits.users.leases {
            self.note_ceiling();
            return Err(AccountingError::UserLeases);
        }
        Ok(())
    }

    /// Whether a partition or one above it is being closed. O(depth).
    pub fn ends(&self, p: PartitionId) -> bool {
        self.lineage(p).any(|above| self.account(above).dying)
    }

    /// Whether `p` is below `above`. O(depth).
    pub fn descends(&self, p: PartitionId, above: PartitionId) -> bool {
        self.lineage(p).skip(1).any(|other| other == above)
    }

    /// A partition, its parent, and so on.
    fn lineage(&self, p: PartitionId) -> impl Iterator<Item = PartitionId> + '_ {
        core::iter::successors(Some(p), |&p| self.account(p).parent).take(MAX_DEPTH as usize + 1)
    }

    /// Takes frames of a parent's quota for one of its children. O(1).
    pub(super) fn take_of_quota(
        &mut self,
        parent: PartitionId,
        frames: Frames,
    ) -> Result<(), AccountingError> {
        let account = self.account_of(parent);
        if frames > account.quota {
            return Err(AccountingError::NoSpace);
        }
        account.quota.lower(frames);
        account.given.raise(frames);
        Ok(())
    }

    /// The next one above `p` that is not closed, after `pass` was done with each parent on
    /// the way there. O(depth).
    fn open_above(
        &mut self,
        p: PartitionId,
        mut pass: impl FnMut(&mut super::Account),
    ) -> Option<PartitionId> {
        let mut at = p;
        // loop-bound: MAX_DEPTH
        while let Some(parent) = self.account(at).parent {
            let account = self.account_of(parent);
            pass(account);
            if !account.zombie {
                return Some(parent);
            }
            at = parent;
        }
        None
    }

    /// Frames that were committed to a partition are free: its own quota has them if they
    /// were moved there, else that of the next one above which is not closed, else the pool.
    /// O(depth).
    pub(super) fn hand_back(&mut self, p: PartitionId, frames: Frames) {
        let account = self.account_of(p);
        let kept = frames.min(account.due);
        account.due.lower(kept);
        account.quota.raise(kept);
        let (user, frames) = (account.user, frames.minus(kept));
        match self.open_above(p, |above| above.given.lower(frames)) {
            Some(above) => self.account_of(above).quota.raise(frames),
            None => {
                self.users.refund(user, frames);
                self.totals.committed.lower(frames);
                self.set_free(frames);
            }
        }
    }

    /// As [`Self::hand_back`], for frames that a partition may no longer have on lease:
    /// whoever gets them may have waited for them. O(log waiters).
    pub(super) fn hand_back_limit(&mut self, p: PartitionId, limit: Frames) {
        if let Some(above) = self.open_above(p, |above| above.limit_given.lower(limit)) {
            self.account_of(above).limit.raise(limit);
            self.promote(above);
        }
    }

    /// Sets what a partition has for children to `quota` frames in all, and adds `added` to
    /// its reserve. `cut` frames of the reserve will be given back by
    /// [`Self::commit_less`]: as many of them as the quota grows by are the quota's then.
    /// Returns how many frames it has too many now, which are still committed to it: to be
    /// given back the same way. O(log waiters).
    ///
    /// Errors: [`AccountingError::Dying`]; [`AccountingError::InUse`] for less than children
    /// have; those of [`Self::grow`], as far as reserve and quota together grow.
    pub fn set_quota(
        &mut self,
        p: PartitionId,
        quota: Frames,
        (added, cut): (Frames, Frames),
        ceiling: Frames,
        now: u64,
    ) -> Result<Frames, AccountingError> {
        let account = self.account(p);
        if account.dying {
            return Err(AccountingError::Dying);
        }
        let (had, used) = (account.quota, account.given.plus(account.due));
        let rest = quota.checked_sub(used).ok_or(AccountingError::InUse)?;
        let due = cut.min(rest.saturating_sub(had));
        let rest = rest.minus(due);
        let wanted = rest.checked_add(added).ok_or(AccountingError::NoSpace)?;
        let more = wanted.saturating_sub(had);
        if more > 0 {
            self.grow(p, more, ceiling, now)?;
        }
        let account = self.account_of(p);
        // What was added by now, and what the quota had, is either reserve or quota.
        account.reserve = account.reserve.plus(had).minus(rest);
        account.quota = rest;
        account.due.raise(due);
        Ok(had.saturating_sub(wanted))
    }

    /// Changes how many frames a partition may have on lease, and returns by how many fewer
    /// they are: [`Self::settle_limit`] gives them back. Call [`Self::serve`] afterwards.
    /// O(log waiters).
    ///
    /// Errors: [`AccountingError::Dying`]; for a child [`AccountingError::Quota`] if its
    /// parent has not that many left, [`AccountingError::InUse`] if more are on lease.
    pub fn change_limit(
        &mut self,
        p: PartitionId,
        limit: Frames,
    ) -> Result<Frames, AccountingError> {
        let account = self.account(p);
        let (had, parent) = (account.limit, account.parent);
        if let Some(parent) = parent.filter(|_| !account.dying) {
            if limit < account.charged {
                return Err(AccountingError::InUse);
            }
            let more = limit.saturating_sub(had);
            let above = self.account_of(parent);
            if !above.has_budget_for(more) {
                return Err(AccountingError::Quota);
            }
            above.limit.lower(more);
            above.limit_given.raise(more);
        }
        self.set_limit(p, limit)?;
        Ok(had.saturating_sub(limit))
    }

    /// After [`Self::change_limit`] from `before` to `set`: gives back what the limit was
    /// lowered by if all was `done`, or else undoes the change; but a child keeps what it has
    /// on lease by it. Only the difference, since children take of the limit and give back
    /// meanwhile. O(log waiters).
    pub fn settle_limit(&mut self, p: PartitionId, before: Frames, set: Frames, done: bool) {
        let (more, fewer) = (set.saturating_sub(before), before.saturating_sub(set));
        let account = self.account_of(p);
        let back = if done {
            fewer
        } else {
            account.limit.raise(fewer);
            let kept = account.parent.map_or(0, |_| account.charged);
            let back = more.min(account.limit.saturating_sub(kept));
            account.limit.lower(back);
            back
        };
        self.promote(p);
        self.hand_back_limit(p, back);
    }
}
