// SPDX-License-Identifier: GPL-2.0

//! The leases of a partition: requesting, waiting, filling and ending, each step by itself.
//!
//! The whole way of a borrow, with what is announced and timed on it, is
//! [`Partition::borrow`].
//!
//! [`Partition::borrow`]: super::Partition::borrow

mod ending;
mod errors;
mod slices;
mod walk;
mod window;

use kernel::prelude::*;

use crate::genp::{
    core::{
        accounting::{AccountingError, BorrowTicket, RequestOutcome, WaitReasons},
        owner::Owner,
    },
    frames::free::BATCH,
    pool::{
        account::PoolAccount,
        lending::{self, Budget},
    },
    sys::{
        abi,
        atomic::InlineAtomic,
        errno::{EDQUOT, EIDRM},
        file::FileOwner,
        task::{self, Woken},
        trace,
    },
};

pub(super) use ending::Progress;
pub(crate) use window::{LeaseWindow, LEASE_OFFSET};

/// What a borrower asks for, in pages and checked for form.
pub(crate) struct BorrowRequest {
    pub(crate) pages: u32,
    pub(crate) deadline: u64,
    pub(crate) term: u64,
    pub(crate) reasons: WaitReasons,
    pub(crate) owner: Owner,
}

/// The leases of a partition.
#[pin_data]
pub(crate) struct Leases {
    account: PoolAccount,
    /// The term of a lease that is requested without one.
    term_ns: u64,
    #[pin]
    window: LeaseWindow,
    timeouts: InlineAtomic,
    interruptions: InlineAtomic,
}

impl Leases {
    /// No leases yet, of `max_leases` with up to `slice_pages` pages each. `multimap` says
    /// whether an address space may have several mappings of them.
    pub(super) fn new(
        account: PoolAccount,
        term_ns: u64,
        max_leases: u32,
        slice_pages: u32,
        multimap: bool,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            window <- LeaseWindow::new(account.clone(), max_leases, slice_pages, multimap),
            account,
            term_ns,
            timeouts: InlineAtomic::new(0),
            interruptions: InlineAtomic::new(0),
        })
    }

    /// Where they are mapped.
    pub(crate) fn window(&self) -> &LeaseWindow {
        &self.window
    }

    /// The term to request, 0 for the partition's; a shorter one than the pool has is
    /// raised. EINVAL for a longer one.
    pub(crate) fn term(&self, lease_ns: u64) -> Result<u64> {
        let config = &self.account.pool().config;
        let term = match lease_ns {
            0 => self.term_ns,
            term => term,
        };
        match term <= config.max_lease_ns {
            true => Ok(term.max(config.min_lease_ns)),
            false => Err(EINVAL),
        }
    }

    /// Counts a request that came to nothing because of its deadline.
    fn timed_out(&self) -> Error {
        self.timeouts.add(1);
        ETIMEDOUT
    }

    /// Requests a lease, and sets the waiter to wake if it is not granted at once. Context:
    /// thread.
    ///
    /// EINVAL, E2BIG, EIDRM, EBUSY; EAGAIN, EDQUOT if it would have to wait and must not,
    /// ETIMEDOUT instead of them if its deadline has passed.
    pub(super) fn submit(&self, request: &BorrowRequest, now: u64) -> Result<BorrowTicket> {
        let may_wait = request.deadline > now;
        let mut waiter = Some(task::current());
        let prio = task::current_prio();
        let (answer, raise) = self.account.with_lending(|state, id| {
            let answer = state.accounting.borrow(
                id,
                request.pages,
                prio,
                request.reasons,
                may_wait,
                now,
                request.term,
            );
            if let Ok(ticket) = &answer {
                if request.owner == Owner::Driver {
                    state.accounting.make_non_revocable(ticket.lease);
                }
                if ticket.granted.is_none() {
                    state.set_waiter(ticket.lease, waiter.take());
                }
            }
            // Without it the frames or the budget may be there.
            if matches!(
                answer,
                Err(AccountingError::WouldBlock | AccountingError::Quota)
            ) {
                state.need_ends(prio);
            }
            (answer, state.wants_raise())
        });
        if raise {
            self.account.pool().raise_urgency();
        }
        answer.map_err(|error| {
            let reasons = request.reasons;
            let expired = request.deadline != 0 && !may_wait;
            let paced = error == AccountingError::Pace;
            let error = match lending::errno(error) {
                error if paced => error,
                // What it would have waited for, had its deadline not passed.
                EAGAIN if reasons.pool && expired => self.timed_out(),
                EDQUOT if reasons.budget && expired => self.timed_out(),
                error => error,
            };
            trace::refuse(self.account.id().0, request.pages, error.to_errno());
            error
        })
    }

    /// Sleeps until the request is resolved, the deadline, or a signal. Ok means that
    /// frames were granted. EIDRM, EAGAIN, ETIMEDOUT, ERESTARTSYS. Context: thread, may
    /// sleep.
    #[inline(never)]
    pub(super) fn wait(&self, ticket: &BorrowTicket, deadline: u64) -> Result {
        let lease = ticket.lease;
        trace::wait(self.account.id().0, ticket.handle, deadline);
        let woken = task::wait_until(deadline, || {
            self.account.with_lending(|state, _| {
                !matches!(state.accounting.outcome(lease), RequestOutcome::Waiting)
            })
        });
        let (outcome, waiter) = self.account.with_lending(|state, _| {
            let waiter = state.take_waiter(lease);
            (state.accounting.withdraw(lease), waiter)
        });
        drop(waiter);
        let error = match outcome {
            // Even if a signal or the deadline came as well: the frames are here.
            RequestOutcome::Granted { .. } => return Ok(()),
            RequestOutcome::Died => EIDRM,
            RequestOutcome::Refused => EAGAIN,
            RequestOutcome::Ended => self.timed_out(),
            RequestOutcome::Waiting => match woken {
                Woken::Signal => {
                    self.interruptions.add(1);
                    ERESTARTSYS
                }
                _ => self.timed_out(),
            },
        };
        // The request behind this one may be next.
        self.account.pool().serve();
        trace::refuse(self.account.id().0, 0, error.to_errno());
        Err(error)
    }

    /// Opens the slice of a granted lease. Returns when it expires and what the budget is
    /// then. ETIMEDOUT if the lease ended before, which happens to a borrower that is kept
    /// from running for its whole term. Context: thread, may sleep.
    pub(super) fn open(&self, ticket: &BorrowTicket, owner: Owner) -> Result<(u64, Budget)> {
        let mut slices = self.window.lock();
        let (outcome, budget) = self.account.with_lending(|state, id| {
            (state.accounting.acknowledge(ticket.lease), state.budget(id))
        });
        let RequestOutcome::Granted { expires } = outcome else {
            return Err(self.timed_out());
        };
        slices.open(ticket.slice, ticket.handle, owner);
        Ok((expires, budget))
    }

    /// Takes the frames of a lease whose slice is open: ETIMEDOUT if the lease ended
    /// meanwhile, ENOMEM if frames that were granted are not there. Context: thread, may
    /// sleep; zeroes what the scrubber did not.
    ///
    /// In batches, each under the lock of the window: whoever ends the lease waits
    /// for one batch at most, and lends its priority meanwhile.
    pub(super) fn fill(&self, ticket: &BorrowTicket, pages: u32) -> Result {
        let mut left = pages;
        // loop-bound: batches
        while left > 0 {
            let mut slices = self.window.lock();
            let Some(slice) = slices.of(ticket.slice, ticket.handle) else {
                return Err(self.timed_out());
            };
            let frames = self.account.take_frames(left.min(BATCH));
            if frames.is_empty() {
                // Refuse rather than try forever.
                return Err(ENOMEM);
            }
            left = left.saturating_sub(frames.len());
            self.account
                .pool()
                .free_frames
                .join(slice.list_mut(), frames);
            if left == 0 {
                slice.complete();
            }
        }
        Ok(())
    }

    /// Maps a lease in the caller's address space: see [`LeaseWindow::map_lease`].
    /// ETIMEDOUT if it ended meanwhile. Context: thread, may sleep.
    #[inline(never)]
    pub(super) fn map<T: FileOwner>(&self, partition: &T, ticket: &BorrowTicket) -> Result {
        match self
            .window
            .map_lease(partition, ticket.slice, ticket.handle)
        {
            true => Ok(()),
            false => Err(self.timed_out()),
        }
    }

    /// The file offset of a lease.
    pub(super) fn offset(&self, ticket: &BorrowTicket) -> u64 {
        self.window.slice_offset(ticket.slice)
    }

    /// Fills in its figures. Context: any.
    pub(super) fn stat(&self, stat: &mut abi::genp_stat) {
        stat.max_leases = self.window.max_leases();
        stat.timeouts = self.timeouts.load();
        stat.interruptions = self.interruptions.load();
        stat.mapping_refusals = self.window.refusals();
    }

    /// As [`Self::stat`]. Context: any.
    pub(super) fn list(&self, listed: &mut abi::genp_list) {
        listed.timeouts = self.timeouts.load();
    }
}
