// SPDX-License-Identifier: GPL-2.0

//! The end of a partition: by `GENP_DESTROY` for its users, and at its last close for its
//! memory.

use kernel::{prelude::*, sync::atomic::Full};

use super::Partition;
use crate::genp::{
    core::accounting::EndReason,
    sys::{errno::EIDRM, trace},
};

/// Keeps track of partitions and is told of the last close of each.
pub(crate) trait LastClose: Send + Sync {
    /// Forgets a partition. Returns when no thread of GenP's uses it or can begin to.
    /// Context: thread, may sleep.
    fn forget(&self, partition: &Partition);
}

impl Partition {
    /// `GENP_DESTROY`: EIDRM if that was done before. Context: thread, may sleep.
    pub(crate) fn destroy(&self) -> Result {
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
        for slice in 0..self.leases.window().max_leases() {
            let Some(handle) = self.leases.handle_at(slice) else {
                continue;
            };
            // Refused for a request that waited, and for a lease that is over.
            if let Ok(bytes) = self.end_lease(handle, how) {
                trace::revoke(self.id().0, handle, bytes);
                if matches!(how, EndReason::Revoked) {
                    self.announce_revocation(handle, u64::MAX, bytes);
                }
            }
        }
    }

    /// Gives everything back: at the last close, or after a create that failed. It is no
    /// longer mapped anywhere, and no call is in progress. Context: thread, may sleep.
    pub(crate) fn close(&self) {
        self.leases.refuse_all();
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
        self.reserve.empty(&mut reserve, 0);
        self.stock.empty();
        self.blocks.empty();
    }
}
