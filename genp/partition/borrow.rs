// SPDX-License-Identifier: GPL-2.0

//! Leases: asking, waiting, filling, and ending.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::{count, timing::Operation, windows::LEASE_OFFSET, Partition};
use crate::genp::core::owner::Owner;
use crate::genp::{
    core::books::{self, Begun, How, LeaseId, Reasons, Verdict},
    frames::free::BATCH,
    pool::{
        lending::{self, Budget, LendingState},
        ReturnEffect,
    },
    sys::{
        errno::{EDQUOT, EIDRM, ETIMEDOUT},
        task::{self, Woken},
        time, trace,
        vma::{self, AddressSpaceId},
    },
};

/// What a borrower asks for, in pages and checked for form.
pub(crate) struct BorrowRequest {
    pub(crate) pages: u32,
    pub(crate) deadline: u64,
    pub(crate) term: u64,
    pub(crate) reasons: Reasons,
    pub(crate) owner: Owner,
}

/// A lease as its borrower sees it.
pub(crate) struct Grant {
    /// In the lease window, in bytes.
    pub(crate) offset: u64,
    pub(crate) handle: u64,
    pub(crate) expires: u64,
    pub(crate) slice: u32,
}

impl Partition {
    /// Borrows: see `GENP_BORROW` in `Documentation/abi.rst` for every error.
    ///
    /// Context: thread, may sleep: until the deadline, and for the locks of the
    /// caller's own partition and address space. Zeroes what the scrubber did
    /// not. Linear in the pages.
    pub(crate) fn borrow(&self, request: &BorrowRequest) -> Result<Grant> {
        let begin = time::now();
        let begun = self.submit(request, begin)?;
        let mut waited = 0;
        if begun.granted.is_none() {
            let asleep = time::now();
            let outcome = self.wait(&begun, request.deadline);
            waited = time::now().saturating_sub(asleep);
            self.timing.record(Operation::Wait, waited);
            outcome?;
        }
        let (expires, budget) = self.fill(&begun, request)?;
        if request.owner == Owner::Process {
            self.map(&begun)?;
        }
        trace::grant(self.id().0, begun.handle, request.pages, expires);
        self.events.check_budget(budget);
        self.timing.record(
            Operation::Borrow,
            time::now().saturating_sub(begin).saturating_sub(waited),
        );
        Ok(Grant {
            offset: LEASE_OFFSET + self.slice_offset(begun.slice),
            handle: begun.handle,
            expires,
            slice: begun.slice,
        })
    }

    /// The term asked for, or the partition's.
    pub(crate) fn term(&self, lease_ns: u64) -> Result<u64> {
        match lease_ns {
            0 => Ok(self.attributes.term_ns),
            term if term <= self.account.pool().config.max_lease_ns => Ok(term),
            _ => Err(EINVAL),
        }
    }

    fn slice_offset(&self, slice: u32) -> u64 {
        u64::from(self.slice_start(slice)) << PAGE_SHIFT
    }

    /// Asks at the desk, and leaves word there how to be woken if it has to be
    /// waited.
    fn submit(&self, request: &BorrowRequest, now: u64) -> Result<Begun> {
        let may_wait = request.deadline > now;
        let mut waiter = Some(task::current());
        let prio = task::current_prio();
        let answer = self.account.with_lending(|state, id| {
            let answer = state.books.borrow(
                id,
                request.pages,
                prio,
                request.reasons,
                may_wait,
                now,
                request.term,
            );
            if let Ok(begun) = &answer {
                if request.owner == Owner::Driver {
                    state.books.make_firm(begun.lease);
                }
                if begun.granted.is_none() {
                    state.set_waiter(begun.lease, waiter.take());
                }
            }
            answer
        });
        answer.map_err(|error| {
            let reasons = request.reasons;
            let error = match lending::errno(error) {
                // What it would have waited for, had its deadline not passed.
                EAGAIN if reasons.pool && request.deadline != 0 && !may_wait => ETIMEDOUT,
                EDQUOT if reasons.budget && request.deadline != 0 && !may_wait => ETIMEDOUT,
                error => error,
            };
            if error == ETIMEDOUT {
                count(&self.counters.timeouts);
            }
            trace::refuse(self.id().0, request.pages, error.to_errno());
            error
        })
    }

    /// Sleeps until the desk has resolved the request, the deadline, or a
    /// signal. Ok means that frames were granted.
    fn wait(&self, begun: &Begun, deadline: u64) -> Result {
        let lease = begun.lease;
        trace::wait(self.id().0, begun.handle, deadline);
        let lending = &self.account.pool().lending;
        let woken = task::wait_until(deadline, || {
            lending.with(|state| !matches!(state.books.verdict(lease), Verdict::Waiting))
        });
        let (verdict, waiter) = lending.with(|state| {
            let waiter = state.take_waiter(lease);
            (state.books.leave(lease), waiter)
        });
        drop(waiter);
        let error = match verdict {
            // Even if a signal or the deadline came as well: the frames are here.
            Verdict::Granted { .. } => return Ok(()),
            Verdict::Died => EIDRM,
            Verdict::Refused => EAGAIN,
            Verdict::Ended => ETIMEDOUT,
            Verdict::Waiting => match woken {
                Woken::Signal => {
                    count(&self.counters.interruptions);
                    ERESTARTSYS
                }
                _ => ETIMEDOUT,
            },
        };
        if error == ETIMEDOUT {
            count(&self.counters.timeouts);
        }
        // Who stood behind this request may be next.
        self.account.pool().serve();
        trace::refuse(self.id().0, 0, error.to_errno());
        Err(error)
    }

    /// Takes the frames of a granted lease; says when it expires and how the budget
    /// stands then. ETIMEDOUT if the lease ended before, which happens to who is kept
    /// from running for its whole term.
    ///
    /// In batches, each under the lock of the windows: who ends the lease waits
    /// for one batch at most, and lends its priority meanwhile.
    fn fill(&self, begun: &Begun, request: &BorrowRequest) -> Result<(u64, Budget)> {
        let (expires, budget) = {
            let mut windows = self.windows.lock();
            let (verdict, budget) = self
                .account
                .with_lending(|state, id| (state.books.settle(begun.lease), state.budget(id)));
            let Verdict::Granted { expires } = verdict else {
                count(&self.counters.timeouts);
                return Err(ETIMEDOUT);
            };
            windows.open(begun.slice, begun.handle, request.owner);
            (expires, budget)
        };
        let mut left = request.pages;
        while left > 0 {
            let mut windows = self.windows.lock();
            let Some(slice) = windows.of(begun.slice, begun.handle) else {
                count(&self.counters.timeouts);
                return Err(ETIMEDOUT);
            };
            let frames = self.account.take_frames(left.min(BATCH));
            if frames.is_empty() {
                // The desk promised frames that are not there: refuse rather
                // than turn for ever.
                drop(windows);
                match request.owner {
                    Owner::Process => self.return_lease(begun.handle)?,
                    Owner::Driver => self.end_driver_lease(begun.handle)?,
                }
                return Err(ENOMEM);
            }
            left = left.saturating_sub(frames.len());
            self.account.pool().free_frames.join(slice.list(), frames);
            if left == 0 {
                slice.complete();
            }
        }
        Ok((expires, budget))
    }

    /// Maps the lease wherever the caller's address space has the window. Where
    /// another one has it, a touch maps it.
    fn map(&self, begun: &Begun) -> Result {
        let space = AddressSpaceId::current();
        let mut from = 0;
        loop {
            let next = self.windows.lock().next_in(space, from);
            let Some((key, behind)) = next else {
                return Ok(());
            };
            from = behind;
            let mapped = vma::in_window(key, self, |vma| {
                let mut windows = self.windows.lock();
                if windows.of(begun.slice, begun.handle).is_none() {
                    return false;
                }
                self.map_slice(&windows, vma, begun.slice);
                true
            });
            if mapped == Some(false) {
                count(&self.counters.timeouts);
                return Err(ETIMEDOUT);
            }
        }
    }

    /// Ends a lease: its pages vanish, its frames go back and on to who waits.
    /// Says how many bytes there were. EINVAL for a handle that is not one of this
    /// partition's or that is a driver's, ESTALE for a lease that is over.
    ///
    /// From claim to credit under the lock of the windows, so that the recall
    /// thread, which comes for the lease when it expires, lends its priority to
    /// whoever is at it.
    ///
    /// Context: thread, may sleep for one batch of the borrower's filling or one
    /// walk of its page tables. Linear in the pages mapped.
    pub(crate) fn end_lease(&self, handle: u64, how: How) -> Result<u64> {
        let (bytes, credit) = {
            let mut windows = self.windows.lock();
            let (lease, slice, expires) = self.claim(handle, how, Owner::Process)?;
            let list = windows.clear(slice, handle);
            self.unmap_slice(&windows, slice, list.len());
            let bytes = u64::from(list.len()) << PAGE_SHIFT;
            self.account.pool().free_frames.give(list);
            (bytes, self.account.pool().credit(lease, how, expires))
        };
        self.after_credit(&credit);
        Ok(bytes)
    }

    /// Serves who may be now, and tells of the budget. Context: thread, no locks held.
    fn after_credit(&self, credit: &ReturnEffect) {
        if credit.waiters {
            self.account.pool().serve();
        }
        self.events.check_budget(credit.budget);
    }

    /// Claims a lease of this kind of borrower's: its place, its slice, and when it
    /// expires. EINVAL, ESTALE. O(1).
    fn claim(&self, handle: u64, how: How, owner: Owner) -> Result<(LeaseId, u32, u64)> {
        self.account
            .with_lending(|state, id| {
                let lease = state.books.find(id, handle)?;
                self.check_owner(state, lease, owner)?;
                let lease = state.books.claim(id, handle, how)?;
                let entry = state.books.lease(lease);
                Ok((lease, entry.slice(), entry.expires()))
            })
            .map_err(lending::errno)
    }

    /// Refuses what is another kind of borrower's.
    fn check_owner(
        &self,
        state: &LendingState,
        lease: LeaseId,
        owner: Owner,
    ) -> ::core::result::Result<(), books::Error> {
        match state.books.lease(lease).is_firm() == (owner == Owner::Driver) {
            true => Ok(()),
            false => Err(books::Error::Foreign),
        }
    }

    /// Ends a driver's lease, of whose pages nobody but us holds any: EINVAL, ESTALE,
    /// EBUSY. Context: thread, may sleep. Linear in the pages.
    pub(crate) fn end_driver_lease(&self, handle: u64) -> Result {
        let credit = {
            let mut windows = self.windows.lock();
            let (lease, slice, expires) = self.claim(handle, How::Returned, Owner::Driver)?;
            let free_frames = &self.account.pool().free_frames;
            let shared = windows.of(slice, handle).is_some_and(|slice| {
                free_frames
                    .walk(slice.list())
                    .any(|frame| free_frames.frames().shared(frame))
            });
            if shared {
                self.account
                    .with_lending(|state, _| state.books.unclaim(lease));
                return Err(EBUSY);
            }
            let list = windows.clear(slice, handle);
            trace::return_lease(self.id().0, handle, u64::from(list.len()) << PAGE_SHIFT);
            free_frames.give(list);
            self.account.pool().credit(lease, How::Returned, expires)
        };
        self.after_credit(&credit);
        Ok(())
    }

    /// Looks at each frame of a driver's lease, in order. Context: thread.
    pub(crate) fn each_frame(&self, borrowed: &Grant, mut look: impl FnMut(u32)) {
        let mut windows = self.windows.lock();
        if let Some(slice) = windows.of(borrowed.slice, borrowed.handle) {
            self.account
                .pool()
                .free_frames
                .walk(slice.list())
                .for_each(&mut look);
        }
    }

    /// `GENP_RETURN`: EINVAL for a handle that is not one of this partition's,
    /// ESTALE for a lease that is over. Context: thread, may sleep.
    pub(crate) fn return_lease(&self, handle: u64) -> Result {
        let bytes = self.end_lease(handle, How::Returned)?;
        trace::return_lease(self.id().0, handle, bytes);
        Ok(())
    }

    /// `GENP_RENEW`: the new deadline. EAGAIN while anybody waits; EINVAL, ESTALE.
    /// O(log leases). Context: thread.
    pub(crate) fn renew(&self, handle: u64, term: u64, owner: Owner) -> Result<u64> {
        let expires = self
            .account
            .with_lending(|state, id| {
                let lease = state.books.find(id, handle)?;
                self.check_owner(state, lease, owner)?;
                state.books.renew(id, handle, time::now(), term)
            })
            .map_err(lending::errno)?;
        trace::renew(self.id().0, handle, expires);
        Ok(expires)
    }
}
