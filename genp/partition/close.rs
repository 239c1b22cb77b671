// SPDX-License-Identifier: GPL-2.0

//! The end of a partition: by `GENP_DESTROY` for its users, and at its last close for its
//! memory.

use kernel::{
    prelude::*,
    sync::{atomic::Full, Arc},
};

use super::Partition;
use crate::genp::{
    core::accounting::EndReason,
    sys::{errno::EIDRM, trace},
};

/// Keeps track of partitions and is told of the last close of each.
pub(crate) trait LastClose: Send + Sync {
    /// Adds a partition, unless its name is taken: EEXIST. Context: thread, may sleep.
    fn enter(&self, partition: Arc<Partition>) -> Result;

    /// Ends all partitions that are part of one. No more are made: it is being closed for
    /// the accounting. Context: thread, may sleep.
    fn end_parts(&self, partition: &Partition);

    /// Forgets a partition. Returns when no thread of GenP's uses it or can begin to.
    /// Context: thread, may sleep.
    fn forget(&self, partition: &Partition);
}

impl Partition {
    /// `GENP_DESTROY`, of all that is part of it as well: EIDRM if that was done before.
    /// Context: thread, may sleep.
    pub(crate) fn destroy(&self) -> Result {
        self.end()?;
        self.end_parts();
        Ok(())
    }

    /// Ends the partitions that are part of this one, which ends.
    fn end_parts(&self) {
        let parts = self
            .account
            .with_lending(|state, id| state.accounting.account(id).children());
        if parts > 0 {
            self.registry.end_parts(self);
        }
    }

    /// As [`Self::destroy`], without what is part of it.
    pub(crate) fn end(&self) -> Result {
        if self.dying.xchg(1, Full) != 0 {
            return Err(EIDRM);
        }
        trace::destroy(self.id().0);
        self.leases.refuse_all();
        self.end_leases(EndReason::Revoked);
        self.events.announce_end();
        Ok(())
    }

    /// Ends every lease; one that somebody else is ending has ended then as well. Context:
    /// thread, may sleep. Linear in the leases and their pages.
    fn end_leases(&self, how: EndReason) {
        // loop-bound: MAX_LEASES_PER_PARTITION
        (0..self.leases.window().max_leases()).for_each(|slice| self.end_lease_in(slice, how));
    }

    /// Ends the lease in a slice, if there is one.
    fn end_lease_in(&self, slice: u32, how: EndReason) {
        let Some(handle) = self.leases.handle_at(slice) else {
            return;
        };
        // Refused for a request that waited, and for a lease that is over.
        if let Ok(bytes) = self.end_lease(handle, how) {
            trace::revoke(self.id().0, handle, bytes);
            if matches!(how, EndReason::Revoked) {
                self.announce_revocation(handle, u64::MAX, bytes);
            }
        }
    }

    /// Gives everything back: at the last close, or after a create that failed. It is no
    /// longer mapped anywhere, and no call is in progress. Context: thread, may sleep.
    pub(crate) fn close(&self) {
        self.leases.refuse_all();
        self.end_parts();
        self.end_leases(EndReason::Abandoned);
        self.registry.forget(self);
        let mut reserve = self.reserve.lock();
        self.reserve.unmap_for_drivers(&mut reserve);
        self.account.with_lending(|state, id| {
            // Committed frames stay charged to the owner until they are free.
            let committed = state.accounting.account(id).reserve();
            // Refused only for an account with leases.
            let _ = state.accounting.close(id, committed);
        });
        trace::release(self.id().0, reserve.pages());
        // What it may borrow no longer, its parent may.
        self.pool().serve();
        self.reserve.empty(&mut reserve, 0);
        self.stock.empty();
        self.blocks.empty();
    }
}
