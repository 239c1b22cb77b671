// SPDX-License-Identifier: GPL-2.0

//! The notify thread: delivers events to pollers, readers, eventfds and drivers.

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::PartitionId,
    registry::Registry,
    sys::thread::{ThreadContext, Worker},
};

/// The notify thread, SCHED_FIFO of priority `notify_prio`.
pub(super) struct Notifier(pub(super) Arc<Registry>);

impl Worker for Notifier {
    fn run(&self, context: &ThreadContext) {
        let pool = self.0.pool();
        loop {
            for id in (0..pool.config.max_partitions).map(PartitionId) {
                let types = pool.pending_events.take(id);
                if types != 0 {
                    if let Some(partition) = self.0.get(id) {
                        partition.deliver(types);
                    }
                }
            }
            if !context.sleep_until(u64::MAX) {
                return;
            }
        }
    }
}
