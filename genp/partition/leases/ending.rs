// SPDX-License-Identifier: GPL-2.0

//! How a lease is renewed, and how it ends.
//!
//! A lease ends in pieces, each under the lock of the window, so that no lock is held and
//! nobody is kept waiting for longer than one piece takes. Between two pieces the lease
//! belongs to nobody: whoever wants it ended goes on with it, whoever began, so its end
//! depends on no thread in particular. The one that unmaps the last piece gives the frames
//! back.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::{
    slices::{Ended, Ending, Piece, Slices},
    walk::{Frames, Walk},
    Leases,
};
use crate::genp::{
    core::{
        accounting::{self, EndReason, LeaseId},
        owner::Owner,
    },
    pool::{
        lending::{self, LendingState},
        ReturnEffect,
    },
    sys::{file::FileOwner, time, trace},
};

/// How far the end of a lease has come.
pub(in crate::genp::partition) enum Progress {
    /// There is more to unmap.
    More,
    /// This was the last piece.
    Done(ReturnEffect),
    /// Somebody else unmapped the last piece.
    Over,
}

/// Refuses a lease of the other kind of owner.
fn check_owner(
    state: &LendingState,
    lease: LeaseId,
    owner: Owner,
) -> ::core::result::Result<(), accounting::AccountingError> {
    match state.accounting.lease(lease).is_non_revocable() == (owner == Owner::Driver) {
        true => Ok(()),
        false => Err(accounting::AccountingError::Foreign),
    }
}

/// A lease that is being ended, by nobody else.
struct Claim {
    lease: LeaseId,
    slice: u32,
    expires: u64,
}

impl Leases {
    /// Claims a lease of this kind of owner: EINVAL, ESTALE. O(1).
    fn claim(&self, handle: u64, how: EndReason, owner: Owner) -> Result<Claim> {
        self.account
            .with_lending(|state, id| {
                let lease = state.accounting.find(id, handle)?;
                check_owner(state, lease, owner)?;
                let lease = state.accounting.claim(id, handle, how)?;
                let entry = state.accounting.lease(lease);
                Ok(Claim {
                    lease,
                    slice: entry.slice(),
                    expires: entry.expires(),
                })
            })
            .map_err(lending::errno)
    }

    /// Begins to end a process's lease, and unmaps its first pages. Returns how many bytes
    /// it has. EINVAL for a handle that is not one of this partition's or that is a
    /// driver's, ESTALE for a lease that is over or that somebody else is ending. Context:
    /// thread, may sleep; one piece.
    pub(in crate::genp::partition) fn begin_end<T: FileOwner>(
        &self,
        partition: &T,
        handle: u64,
        how: EndReason,
    ) -> Result<(u64, Progress)> {
        let mut slices = self.window.lock();
        let claim = self.claim(handle, how, Owner::Process)?;
        let ending = Ending {
            lease: claim.lease,
            how,
            expires: claim.expires,
        };
        let pages = slices.begin_end(claim.slice, handle, ending);
        let progress = self.unmap_piece(&mut slices, partition, handle);
        Ok((u64::from(pages) << PAGE_SHIFT, progress))
    }

    /// Goes on ending a process's lease, whoever began it. Context: thread, may sleep; one
    /// piece.
    pub(in crate::genp::partition) fn end_piece<T: FileOwner>(
        &self,
        partition: &T,
        handle: u64,
    ) -> Progress {
        self.unmap_piece(&mut self.window.lock(), partition, handle)
    }

    /// Unmaps the next pages of a lease that is being ended. With the last ones the frames
    /// go back, under the same lock: nobody finds a lease that is unmapped and not over.
    fn unmap_piece<T: FileOwner>(
        &self,
        slices: &mut Slices,
        partition: &T,
        handle: u64,
    ) -> Progress {
        let Some(piece) = slices.next_piece(handle) else {
            return Progress::Over;
        };
        // call-total: lease_pages / (PIECE / mappings) + 1
        self.window.unmap_piece(slices, partition, &piece);
        let Piece { first, count, .. } = piece;
        trace::unmap(self.account.id().0, handle, first, count, slices.mappings());
        let Some(done) = slices.unmapped(&piece) else {
            return Progress::More;
        };
        let Ended {
            list,
            poisoned,
            ending,
        } = done;
        let pool = self.account.pool();
        let poisoned = pool.give_frames(list, poisoned);
        let effect = pool.complete_return(ending.lease, ending.how, ending.expires, poisoned);
        Progress::Done(effect)
    }

    /// Ends a driver's lease, of whose pages nobody but us holds any: EINVAL, ESTALE,
    /// EBUSY. Context: thread, may sleep; linear in the pages.
    pub(in crate::genp::partition) fn end_for_driver(&self, handle: u64) -> Result<ReturnEffect> {
        let (claim, taken) = {
            let mut slices = self.window.lock();
            let claim = self.claim(handle, EndReason::Returned, Owner::Driver)?;
            let taken = slices.clear(claim.slice, handle);
            (claim, taken)
        };
        // Nobody else has the list now, so it is gone through without the lock.
        let pool = self.account.pool();
        if pool.free_frames.any_shared(&taken.list) {
            self.window.lock().restore(claim.slice, handle, taken);
            self.account
                .with_lending(|state, _| state.accounting.unclaim(claim.lease));
            return Err(EBUSY);
        }
        let bytes = u64::from(taken.list.len()) << PAGE_SHIFT;
        trace::return_lease(self.account.id().0, handle, bytes);
        let poisoned = pool.give_frames(taken.list, taken.poisoned);
        Ok(pool.complete_return(claim.lease, EndReason::Returned, claim.expires, poisoned))
    }

    /// Lets a lease of this kind of owner run for another term. Returns the new deadline.
    /// EAGAIN while anybody waits; EINVAL, ESTALE. O(log leases). Context: thread.
    pub(crate) fn renew(&self, handle: u64, term: u64, owner: Owner) -> Result<u64> {
        let expires = self
            .account
            .with_lending(|state, id| {
                let lease = state.accounting.find(id, handle)?;
                check_owner(state, lease, owner)?;
                state.accounting.renew(id, handle, time::now(), term)
            })
            .map_err(lending::errno)?;
        trace::renew(self.account.id().0, handle, expires);
        Ok(expires)
    }

    /// Refuses new leases, and wakes every waiter, one under each lock. Context: thread.
    pub(in crate::genp::partition) fn refuse_all(&self) {
        self.account
            .with_lending(|state, id| state.accounting.begin_close(id));
        // loop-bound: MAX_LEASES_PER_PARTITION
        for slice in 0..self.window.max_leases() {
            self.account.with_lending(|state, id| {
                if let Some(lease) = state.accounting.close_slice(id, slice) {
                    state.wake(lease);
                }
            });
        }
    }

    /// The handle of the lease in a slice, if there is one. O(1). Context: thread.
    pub(in crate::genp::partition) fn handle_at(&self, slice: u32) -> Option<u64> {
        self.account.with_lending(|state, id| {
            let lease = state.accounting.lease_at(id, slice)?;
            Some(state.accounting.lease(lease).handle())
        })
    }

    /// Calls `look` with each frame of a lease, in order. Context: thread, may sleep.
    pub(in crate::genp::partition) fn each_frame(
        &self,
        slice: u32,
        handle: u64,
        mut look: impl FnMut(u32),
    ) {
        let free_frames = &self.account.pool().free_frames;
        let mut walk = Walk::new(free_frames, slice, handle);
        let mut go_on = true;
        // loop-bound: lease_pages / PIECE + 2
        while go_on {
            let seen = walk.piece(&mut self.window.lock(), |_, Frames { iter, count, .. }| {
                iter.visit(count, &mut look);
                count
            });
            go_on = seen.is_some_and(|count| count > 0);
        }
    }
}
