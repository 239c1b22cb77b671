// SPDX-License-Identifier: GPL-2.0

//! Reserves: what is committed, to whom, and when it comes back.

use core::ops::DerefMut;

use super::{
    lease, Account, Accounting, AccountingError, Frames, Lease, LeaseState, PartitionId,
    WaitReasons, MAX_LEASES_PER_PARTITION, NONE,
};

impl<A, L, H> Accounting<A, L, H>
where
    A: DerefMut<Target = [Account]>,
    L: DerefMut<Target = [Lease]>,
    H: DerefMut<Target = [u32]>,
{
    /// Whether somebody who waits for frames could not be served any longer, once
    /// all leases are over, if so many were committed. Who wants more than there is
    /// because drivers are overdue can only hope for what those return. As many steps
    /// as there are waiters and accounts.
    fn would_starve(&self, frames: Frames) -> bool {
        if self.totals.waiters == 0 {
            return false;
        }
        let lendable = self.totals.lendable();
        let own = self.accounts.iter().map(|account| account.queue.head);
        own.chain([self.queue.head])
            .flat_map(|head| self.queued(head))
            .filter(|lease| lease.reasons.pool)
            .any(|lease| {
                let hopes = if lease.frames > lendable {
                    self.totals.overdue
                } else {
                    0
                };
                u64::from(lease.frames) + u64::from(frames) > u64::from(lendable) + u64::from(hopes)
            })
    }

    /// Whether `frames` more can be committed to `uid`: they are free, and what
    /// is left can still serve everybody who waits, once all leases are over. As
    /// many steps as there are accounts and waiters.
    fn check_room(&self, uid: u32, ceiling: Frames, frames: Frames) -> Result<(), AccountingError> {
        if frames > self.totals.free || self.would_starve(frames) {
            return Err(AccountingError::NoSpace);
        }
        self.check_ceiling(uid, ceiling, frames)
    }

    /// Whether `uid` may have `frames` more. As many steps as there are accounts.
    fn check_ceiling(
        &self,
        uid: u32,
        ceiling: Frames,
        frames: Frames,
    ) -> Result<(), AccountingError> {
        if ceiling == Frames::MAX {
            return Ok(());
        }
        let owned = self
            .accounts
            .iter()
            .filter(|account| account.used && account.uid == uid)
            .fold(0u64, |sum, account| sum + account.owned());
        if owned + u64::from(frames) > u64::from(ceiling) {
            return Err(AccountingError::Ceiling);
        }
        Ok(())
    }

    /// Opens an account and commits its reserve. `ceiling` is the most frames its
    /// owner may have committed in all. Set-up: as many steps as there are accounts
    /// and waiters.
    pub fn admit(
        &mut self,
        uid: u32,
        ceiling: Frames,
        reserve: Frames,
        limit: Frames,
        max_leases: u32,
    ) -> Result<PartitionId, AccountingError> {
        self.check_room(uid, ceiling, reserve)?;
        let place = self
            .accounts
            .iter()
            .position(|account| !account.used)
            .ok_or(AccountingError::NoPartitionSlot)?;
        let id = PartitionId(place as u32);
        self.account_of(id).replace(Account {
            used: true,
            uid,
            reserve,
            limit,
            max_leases: max_leases.min(MAX_LEASES_PER_PARTITION),
            ..Account::EMPTY
        });
        self.totals.partitions += 1;
        self.totals.committed += reserve;
        self.totals.free -= reserve;
        Ok(id)
    }

    /// Charges the owner of a new account for frames that are not of the pool, until
    /// the account is retired. Set-up: as many steps as there are accounts.
    pub fn charge_external(
        &mut self,
        p: PartitionId,
        frames: Frames,
        ceiling: Frames,
    ) -> Result<(), AccountingError> {
        self.check_ceiling(self.account(p).uid, ceiling, frames)?;
        self.account_of(p).external = frames;
        Ok(())
    }

    /// Commits more. Set-up: as many steps as there are accounts and waiters.
    pub fn commit_more(
        &mut self,
        p: PartitionId,
        frames: Frames,
        ceiling: Frames,
    ) -> Result<(), AccountingError> {
        self.check_room(self.account(p).uid, ceiling, frames)?;
        self.account_of(p).reserve += frames;
        self.totals.committed += frames;
        self.totals.free -= frames;
        Ok(())
    }

    /// Commits more of what nobody waits for: refused while anybody does. Set-up, and
    /// the refill of a stock: as many steps as there are accounts.
    pub fn commit_spare(&mut self, p: PartitionId, frames: Frames) -> Result<(), AccountingError> {
        if self.totals.waiters > 0 {
            return Err(AccountingError::Waited);
        }
        self.commit_more(p, frames, Frames::MAX)
    }

    /// Takes frames of a reserve back that are free again. The last ones of a
    /// retired account close it. Call [`Self::serve`] afterwards. O(1).
    pub fn commit_less(&mut self, p: PartitionId, frames: Frames) -> Result<(), AccountingError> {
        let account = self.account_of(p);
        let left = account
            .reserve
            .checked_sub(frames)
            .ok_or(AccountingError::NoSpace)?;
        account.reserve = left;
        self.totals.committed -= frames;
        self.totals.free += frames;
        self.reap(p);
        Ok(())
    }

    /// Closes a retired account that has no frames any longer.
    fn reap(&mut self, p: PartitionId) {
        let account = self.account_of(p);
        if account.zombie && account.reserve == 0 {
            account.replace(Account::EMPTY);
            self.totals.partitions -= 1;
        }
    }

    /// Changes how much a partition may have on lease. What it has beyond a lower
    /// limit it keeps until its leases end. Call [`Self::serve`] afterwards. As
    /// many steps as there are waiters.
    pub fn set_limit(&mut self, p: PartitionId, limit: Frames) -> Result<(), AccountingError> {
        if self.account(p).dying {
            return Err(AccountingError::Dying);
        }
        self.account_of(p).limit = limit;
        self.promote(p);
        Ok(())
    }

    /// Ends borrowing for a partition: who waits gets [`super::RequestOutcome::Died`],
    /// leases that run are due at once. As many steps as it has leases, each
    /// O(log leases).
    pub fn begin_close(&mut self, p: PartitionId) {
        self.account_of(p).dying = true;
        for slice in 0..MAX_LEASES_PER_PARTITION {
            let Some(lease) = self.lease_at(p, slice) else {
                continue;
            };
            let index = lease.0;
            match self.entry(index).state {
                LeaseState::BudgetWait | LeaseState::PoolWait => {
                    self.unlink(index);
                    self.lease_mut(index).state = LeaseState::Died;
                }
                LeaseState::Active | LeaseState::Recalled
                    if !self.entry(index).is_non_revocable() =>
                {
                    self.schedule(index, 0);
                }
                _ => {}
            }
        }
    }

    /// Retires the account of a partition without leases, of whose reserve
    /// `frames` are not free yet. The account stays, charged to its owner, until
    /// [`Self::commit_less`] took them back. O(1).
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
        account.external = 0;
        self.commit_less(p, freed)
    }

    /// Takes an unused lease for a request; the caller has checked that there is
    /// one, and a slice.
    pub(super) fn take_lease(
        &mut self,
        p: PartitionId,
        frames: Frames,
        reasons: WaitReasons,
    ) -> u32 {
        let index = self.unused;
        self.unused = self.entry(index).next;
        let account = self.account_of(p);
        let slice = (!account.slices)
            .trailing_zeros()
            .min(MAX_LEASES_PER_PARTITION - 1);
        account.slices |= 1 << slice;
        if let Some(place) = account.slice_leases.get_mut(slice as usize) {
            *place = index;
        }
        self.totals.leases += 1;
        let generation = self.entry(index).generation;
        *self.lease_mut(index) = Lease {
            partition: p,
            frames,
            slice,
            handle: lease::handle(index, generation),
            generation,
            reasons,
            ..Lease::EMPTY
        };
        index
    }

    /// Lets a lease's slice be used again.
    pub(super) fn release_slice(&mut self, index: u32) {
        let Lease {
            partition, slice, ..
        } = *self.entry(index);
        let account = self.account_of(partition);
        account.slices &= !(1 << slice);
        self.totals.leases -= 1;
    }

    /// Makes a lease an unused one.
    pub(super) fn release_lease(&mut self, index: u32) {
        let unused = self.unused;
        let lease = self.lease_mut(index);
        let generation = lease.next_generation();
        *lease = Lease {
            generation,
            next: unused,
            heap_at: NONE,
            ..Lease::EMPTY
        };
        self.unused = index;
    }
}
