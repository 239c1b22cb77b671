// SPDX-License-Identifier: GPL-2.0

//! What a partition tells of its leases and its end, and whom: processes by events, drivers
//! by the callbacks of their leases.

use super::{timing::Operation, Partition};
use crate::genp::sys::{abi, time};

impl Partition {
    /// Tells that a lease is recalled. Context: any but NMI.
    pub(crate) fn announce_recall(&self, handle: u64, expires: u64) {
        self.driver_leases.mark_recall_due(handle, expires);
        self.events.announce_recall(handle, expires);
    }

    /// A driver's lease is overdue. If there was no time to recall it, it is asked for
    /// now. Context: any but NMI.
    pub(crate) fn announce_overdue(&self, handle: u64, expires: u64) {
        self.driver_leases.mark_recall_due(handle, expires);
        self.request_driver_recalls();
    }

    /// Has the notify thread ask drivers for leases that are already due. Context: any but
    /// NMI.
    pub(super) fn request_driver_recalls(&self) {
        self.account.notify(1 << abi::GENP_EVENT_RECALLED);
    }

    /// Tells that a lease was revoked. Context: any but NMI.
    pub(crate) fn announce_revocation(&self, handle: u64, expires: u64, bytes: u64) {
        let now = time::now();
        // One that was ended before its time was not late.
        if now >= expires {
            self.timing.record(Operation::Revoke, now - expires);
        }
        self.events.announce_revocation(handle, bytes);
    }

    /// Tells those of events of the types in `types` whom genp_notify does not. Context:
    /// thread of ordinary priority.
    pub(crate) fn tell_crowd(&self, types: u32) {
        self.events.tell_crowd(types);
    }

    /// Tells of events of the types in `types`, bits 1 << type. Context: the notify thread;
    /// runs drivers' code.
    pub(crate) fn deliver(&self, types: u32) {
        // One wake-up was charged with the event.
        let others = self.events.listeners().saturating_sub(1);
        if others > 0 {
            let now = time::now();
            self.account
                .with_lending(|state, id| state.accounting.charge_wakes(id, now, others));
        }
        if self.events.deliver(types) {
            self.account.pool().tell_crowd(self.id(), types);
        }
        if types & (1 << abi::GENP_EVENT_RECALLED) != 0 {
            self.driver_leases.call();
        }
    }
}
