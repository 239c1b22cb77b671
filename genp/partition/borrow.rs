// SPDX-License-Identifier: GPL-2.0

//! Leases: asking, waiting, filling, and ending.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::{count, timing::Op, windows::LEASE_OFFSET, Partition};
use crate::genp::{
    core::books::{self, Begun, How, LeaseId, Reasons, Verdict},
    frames::free::BATCH,
    pool::{
        lending::{self, Budget, Desk},
        Credit,
    },
    sys::{
        errno::{EDQUOT, EIDRM, ETIMEDOUT},
        task::{self, Sleeper, Woken},
        time, trace,
        vma::{self, Space},
    },
};

/// What a borrower asks for, in pages and checked for form.
pub(crate) struct Ask {
    pub(crate) pages: u32,
    pub(crate) deadline: u64,
    pub(crate) term: u64,
    pub(crate) reasons: Reasons,
    pub(crate) borrower: Borrower,
}

/// Who borrows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Borrower {
    /// A process, in the lease window.
    Process,
    /// A driver, which gets the frames and cannot be made to let go.
    Driver,
}

/// A lease as its borrower sees it.
pub(crate) struct Borrowed {
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
    pub(crate) fn borrow(&self, ask: &Ask) -> Result<Borrowed> {
        let begin = time::now();
        let begun = self.ask(ask, begin)?;
        let mut waited = 0;
        if begun.granted.is_none() {
            let asleep = time::now();
            let outcome = self.wait(&begun, ask.deadline);
            waited = time::now().saturating_sub(asleep);
            self.note(Op::Wait, waited);
            outcome?;
        }
        let (expires, budget) = self.fill(&begun, ask)?;
        if ask.borrower == Borrower::Process {
            self.map(&begun)?;
        }
        trace::grant(self.id.0, begun.handle, ask.pages, expires);
        self.check_budget(budget);
        self.note(
            Op::Borrow,
            time::now().saturating_sub(begin).saturating_sub(waited),
        );
        Ok(Borrowed {
            offset: LEASE_OFFSET + self.slice_offset(begun.slice),
            handle: begun.handle,
            expires,
            slice: begun.slice,
        })
    }

    /// The term asked for, or the partition's.
    pub(crate) fn term(&self, lease_ns: u64) -> Result<u64> {
        match lease_ns {
            0 => Ok(self.shape.term_ns),
            term if term <= self.pool.config.max_lease_ns => Ok(term),
            _ => Err(EINVAL),
        }
    }

    fn slice_offset(&self, slice: u32) -> u64 {
        u64::from(self.slice_start(slice)) << PAGE_SHIFT
    }

    /// Asks at the desk, and leaves word there how to be woken if it has to be
    /// waited.
    fn ask(&self, ask: &Ask, now: u64) -> Result<Begun> {
        let may_wait = ask.deadline > now;
        let mut sleeper = Sleeper::current();
        let prio = task::current_prio();
        let answer = self.pool.front.with(|desk| {
            let answer = desk.books.borrow(
                self.id,
                ask.pages,
                prio,
                ask.reasons,
                may_wait,
                now,
                ask.term,
            );
            if let Ok(begun) = &answer {
                if ask.borrower == Borrower::Driver {
                    desk.books.make_firm(begun.lease);
                }
                if begun.granted.is_none() {
                    desk.leave_word(begun.lease, sleeper.take());
                }
            }
            answer
        });
        answer.map_err(|error| {
            let reasons = ask.reasons;
            let error = match lending::errno(error) {
                // What it would have waited for, had its deadline not passed.
                EAGAIN if reasons.pool && ask.deadline != 0 && !may_wait => ETIMEDOUT,
                EDQUOT if reasons.budget && ask.deadline != 0 && !may_wait => ETIMEDOUT,
                error => error,
            };
            if error == ETIMEDOUT {
                count(&self.counters.timeouts);
            }
            trace::refuse(self.id.0, ask.pages, error.to_errno());
            error
        })
    }

    /// Sleeps until the desk has resolved the request, the deadline, or a
    /// signal. Ok means that frames were granted.
    fn wait(&self, begun: &Begun, deadline: u64) -> Result {
        let lease = begun.lease;
        trace::wait(self.id.0, begun.handle, deadline);
        let front = &self.pool.front;
        let woken = task::wait_until(deadline, || {
            front.with(|desk| !matches!(desk.books.verdict(lease), Verdict::Waiting))
        });
        let (verdict, sleeper) = front.with(|desk| {
            let sleeper = desk.take_word(lease);
            (desk.books.leave(lease), sleeper)
        });
        drop(sleeper);
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
        self.pool.serve();
        trace::refuse(self.id.0, 0, error.to_errno());
        Err(error)
    }

    /// Takes the frames of a granted lease; says when it expires and how the budget
    /// stands then. ETIMEDOUT if the lease ended before, which happens to who is kept
    /// from running for its whole term.
    ///
    /// In batches, each under the lock of the windows: who ends the lease waits
    /// for one batch at most, and lends its priority meanwhile.
    fn fill(&self, begun: &Begun, ask: &Ask) -> Result<(u64, Budget)> {
        let (expires, budget) = {
            let mut windows = self.windows.lock();
            let (verdict, budget) = self
                .pool
                .front
                .with(|desk| (desk.books.settle(begun.lease), desk.budget(self.id)));
            let Verdict::Granted { expires } = verdict else {
                count(&self.counters.timeouts);
                return Err(ETIMEDOUT);
            };
            windows.open(begun.slice, begun.handle, ask.borrower);
            (expires, budget)
        };
        let mut left = ask.pages;
        while left > 0 {
            let mut windows = self.windows.lock();
            let Some(slice) = windows.of(begun.slice, begun.handle) else {
                count(&self.counters.timeouts);
                return Err(ETIMEDOUT);
            };
            let frames = self.pool.store.take(left.min(BATCH), self.shape.preferred);
            if frames.is_empty() {
                // The desk promised frames that are not there: refuse rather
                // than turn for ever.
                drop(windows);
                match ask.borrower {
                    Borrower::Process => self.give_back(begun.handle)?,
                    Borrower::Driver => self.end_driver_lease(begun.handle)?,
                }
                return Err(ENOMEM);
            }
            left = left.saturating_sub(frames.len());
            self.pool.store.join(slice.chain(), frames);
            if left == 0 {
                slice.complete();
            }
        }
        Ok((expires, budget))
    }

    /// Maps the lease wherever the caller's address space has the window. Where
    /// another one has it, a touch maps it.
    fn map(&self, begun: &Begun) -> Result {
        let space = Space::current();
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
            let (lease, slice, expires) = self.claim(handle, how, Borrower::Process)?;
            let chain = windows.clear(slice, handle);
            self.unmap_slice(&windows, slice, chain.len());
            let bytes = u64::from(chain.len()) << PAGE_SHIFT;
            self.pool.store.give(chain);
            (bytes, self.pool.credit(lease, how, expires))
        };
        self.after_credit(&credit);
        Ok(bytes)
    }

    /// Serves who may be now, and tells of the budget. Context: thread, no locks held.
    fn after_credit(&self, credit: &Credit) {
        if credit.waiters {
            self.pool.serve();
        }
        self.check_budget(credit.budget);
    }

    /// Claims a lease of this kind of borrower's: its place, its slice, and when it
    /// expires. EINVAL, ESTALE. O(1).
    fn claim(&self, handle: u64, how: How, borrower: Borrower) -> Result<(LeaseId, u32, u64)> {
        self.pool
            .front
            .with(|desk| {
                let lease = desk.books.find(self.id, handle)?;
                self.check_borrower(desk, lease, borrower)?;
                let lease = desk.books.claim(self.id, handle, how)?;
                let entry = desk.books.lease(lease);
                Ok((lease, entry.slice(), entry.expires()))
            })
            .map_err(lending::errno)
    }

    /// Refuses what is another kind of borrower's.
    fn check_borrower(
        &self,
        desk: &Desk,
        lease: LeaseId,
        borrower: Borrower,
    ) -> ::core::result::Result<(), books::Error> {
        match desk.books.lease(lease).is_firm() == (borrower == Borrower::Driver) {
            true => Ok(()),
            false => Err(books::Error::Foreign),
        }
    }

    /// Ends a driver's lease, of whose pages nobody but us holds any: EINVAL, ESTALE,
    /// EBUSY. Context: thread, may sleep. Linear in the pages.
    pub(crate) fn end_driver_lease(&self, handle: u64) -> Result {
        let credit = {
            let mut windows = self.windows.lock();
            let (lease, slice, expires) = self.claim(handle, How::Returned, Borrower::Driver)?;
            let store = &self.pool.store;
            let shared = windows.of(slice, handle).is_some_and(|slice| {
                store
                    .walk(slice.chain())
                    .any(|frame| store.frames().shared(frame))
            });
            if shared {
                self.pool.front.with(|desk| desk.books.unclaim(lease));
                return Err(EBUSY);
            }
            let chain = windows.clear(slice, handle);
            trace::give_back(self.id.0, handle, u64::from(chain.len()) << PAGE_SHIFT);
            store.give(chain);
            self.pool.credit(lease, How::Returned, expires)
        };
        self.after_credit(&credit);
        Ok(())
    }

    /// Looks at each frame of a driver's lease, in order. Context: thread.
    pub(crate) fn each_frame(&self, borrowed: &Borrowed, mut look: impl FnMut(u32)) {
        let mut windows = self.windows.lock();
        if let Some(slice) = windows.of(borrowed.slice, borrowed.handle) {
            self.pool.store.walk(slice.chain()).for_each(&mut look);
        }
    }

    /// `GENP_RETURN`: EINVAL for a handle that is not one of this partition's,
    /// ESTALE for a lease that is over. Context: thread, may sleep.
    pub(crate) fn give_back(&self, handle: u64) -> Result {
        let bytes = self.end_lease(handle, How::Returned)?;
        trace::give_back(self.id.0, handle, bytes);
        Ok(())
    }

    /// `GENP_RENEW`: the new deadline. EAGAIN while anybody waits; EINVAL, ESTALE.
    /// O(log leases). Context: thread.
    pub(crate) fn renew(&self, handle: u64, term: u64, borrower: Borrower) -> Result<u64> {
        let expires = self
            .pool
            .front
            .with(|desk| {
                let lease = desk.books.find(self.id, handle)?;
                self.check_borrower(desk, lease, borrower)?;
                desk.books.renew(self.id, handle, time::now(), term)
            })
            .map_err(lending::errno)?;
        trace::renew(self.id.0, handle, expires);
        Ok(expires)
    }
}
