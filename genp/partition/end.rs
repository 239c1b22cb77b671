// SPDX-License-Identifier: GPL-2.0

//! Ending leases, by their return and by force: what is served and announced then.

use kernel::prelude::*;

use super::{leases::Progress, Partition};
use crate::genp::{
    core::accounting::EndReason,
    pool::ReturnEffect,
    sys::{errno::ESTALE, task::yield_now, trace},
};

/// A lease that the revoking thread ends, piece by piece.
pub(crate) struct Revocation {
    handle: u64,
    expires: u64,
    begun: bool,
    /// What it had, if it was this thread that began to end it.
    bytes: Option<u64>,
}

impl Revocation {
    /// Of the lease `handle`, whose deadline is `expires`.
    pub(crate) fn new(handle: u64, expires: u64) -> Self {
        Self {
            handle,
            expires,
            begun: false,
            bytes: None,
        }
    }
}

impl Partition {
    /// Serves who can be served; whether the lease is over.
    fn after_piece(&self, progress: &Progress) -> bool {
        if let Progress::Done(effect) = progress {
            self.after_return(effect);
        }
        !matches!(progress, Progress::More)
    }

    /// Ends a process's lease: its pages vanish, its frames go back and on to whoever waits.
    /// Returns how many bytes there were. EINVAL for a handle that is not one of this
    /// partition's or that is a driver's, ESTALE for a lease that is over. It is over in any
    /// of these cases: one that somebody else was ending is ended here as well.
    ///
    /// Context: thread, may sleep for one batch of the borrower's filling or one piece of
    /// its page tables, again and again. Linear in the pages mapped.
    pub(crate) fn end_lease(&self, handle: u64, how: EndReason) -> Result<u64> {
        let (bytes, mut progress) = match self.leases.begin_end(self, handle, how) {
            Ok((bytes, progress)) => (Ok(bytes), progress),
            // Somebody else may be ending it.
            Err(error) if error == ESTALE => (Err(error), Progress::More),
            Err(error) => return Err(error),
        };
        // loop-bound: lease_pages / (PIECE / mappings) + 1
        while matches!(progress, Progress::More) {
            yield_now();
            progress = self.leases.end_piece(self, handle);
        }
        self.after_piece(&progress);
        bytes
    }

    /// Does the next piece of ending a lease by force; whether it is over then. Context: the
    /// revoking thread.
    pub(crate) fn revoke_piece(&self, end: &mut Revocation) -> bool {
        let handle = end.handle;
        let progress = match end.begun {
            true => self.leases.end_piece(self, handle),
            false => match self.leases.begin_end(self, handle, EndReason::Revoked) {
                Ok((bytes, progress)) => {
                    end.bytes = Some(bytes);
                    progress
                }
                // Its borrower, or who destroys the partition, was first.
                Err(_) => self.leases.end_piece(self, handle),
            },
        };
        end.begun = true;
        if !self.after_piece(&progress) {
            return false;
        }
        if let Some(bytes) = end.bytes {
            trace::revoke(self.id().0, handle, bytes);
            self.announce_revocation(handle, end.expires, bytes);
        }
        true
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
