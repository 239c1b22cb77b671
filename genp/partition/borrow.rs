// SPDX-License-Identifier: GPL-2.0

//! Borrowing and returning: what is done with leases, announced and timed.

use kernel::prelude::*;

use super::{leases::BorrowRequest, timing::Operation, Partition};
use crate::genp::{
    core::{
        accounting::{BorrowTicket, EndReason},
        owner::Owner,
    },
    pool::{lending::Budget, ReturnEffect},
    sys::{time, trace},
};

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
        let ticket = self.leases.submit(request, begin)?;
        let mut waited = 0;
        if ticket.granted.is_none() {
            let asleep = time::now();
            let outcome = self.leases.wait(&ticket, request.deadline);
            waited = time::now().saturating_sub(asleep);
            self.timing.record(Operation::Wait, waited);
            outcome?;
        }
        let (expires, budget) = self.fill(&ticket, request)?;
        if request.owner == Owner::Process {
            self.leases.map(self, &ticket)?;
        }
        trace::grant(self.id().0, ticket.handle, request.pages, expires);
        self.events.check_budget(budget);
        self.timing.record(
            Operation::Borrow,
            time::now().saturating_sub(begin).saturating_sub(waited),
        );
        Ok(Grant {
            offset: self.leases.offset(&ticket),
            handle: ticket.handle,
            expires,
            slice: ticket.slice,
        })
    }

    /// Takes the frames of a granted lease. Returns when it expires and what the budget is
    /// then. ETIMEDOUT if it ended meanwhile; ENOMEM, after which it has ended.
    fn fill(&self, ticket: &BorrowTicket, request: &BorrowRequest) -> Result<(u64, Budget)> {
        let opened = self.leases.open(ticket, request.owner)?;
        self.leases
            .fill(ticket, request.pages)
            .or_else(|error| match request.owner {
                _ if error != ENOMEM => Err(error),
                Owner::Process => self.return_lease(ticket.handle).and(Err(error)),
                Owner::Driver => self.end_driver_lease(ticket.handle).and(Err(error)),
            })?;
        Ok(opened)
    }

    /// Ends a process's lease: its pages vanish, its frames go back and on to whoever waits.
    /// Returns how many bytes there were. EINVAL for a handle that is not one of this
    /// partition's or that is a driver's, ESTALE for a lease that is over.
    ///
    /// Context: thread, may sleep for one batch of the borrower's filling or one
    /// walk of its page tables. Linear in the pages mapped.
    pub(crate) fn end_lease(&self, handle: u64, how: EndReason) -> Result<u64> {
        let (bytes, effect) = self.leases.end(self, handle, how)?;
        self.after_return(&effect);
        Ok(bytes)
    }

    /// Ends a driver's lease, of whose pages nobody but us holds any: EINVAL, ESTALE,
    /// EBUSY. Context: thread, may sleep. Linear in the pages.
    pub(super) fn end_driver_lease(&self, handle: u64) -> Result {
        let effect = self.leases.end_for_driver(handle)?;
        self.after_return(&effect);
        Ok(())
    }

    /// Serves the waiters that can be served now, and announces a low budget. Context:
    /// thread, no locks held.
    fn after_return(&self, effect: &ReturnEffect) {
        if effect.waiters {
            self.pool().serve();
        }
        self.events.check_budget(effect.budget);
    }

    /// `GENP_RETURN`: EINVAL for a handle that is not one of this partition's,
    /// ESTALE for a lease that is over. Context: thread, may sleep.
    pub(crate) fn return_lease(&self, handle: u64) -> Result {
        let bytes = self.end_lease(handle, EndReason::Returned)?;
        trace::return_lease(self.id().0, handle, bytes);
        Ok(())
    }
}
