// SPDX-License-Identifier: GPL-2.0

//! Borrowing: what is done with a lease until its borrower has it, announced and timed.

use kernel::prelude::*;

use super::{leases::BorrowRequest, timing::Operation, Partition};
use crate::genp::{
    core::{accounting::BorrowTicket, owner::Owner},
    pool::lending::Budget,
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
        // loop-bound: batches
        self.leases
            .fill(ticket, request.pages)
            .or_else(|error| match request.owner {
                _ if error != ENOMEM => Err(error),
                Owner::Process => self.return_lease(ticket.handle).and(Err(error)),
                Owner::Driver => self.end_driver_lease(ticket.handle).and(Err(error)),
            })?;
        Ok(opened)
    }
}
