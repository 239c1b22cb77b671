// SPDX-License-Identifier: GPL-2.0

//! The recall thread: keeps the time of all leases. It announces their end, and hands those
//! over to the revoking thread that are to be ended by force.
//!
//! It waits for nobody and takes no lock that sleeps, and each of its actions takes a
//! number of steps that does not depend on the length of the lease. So its priority is
//! constant, above those whom the ends of leases are announced to.

use kernel::sync::Arc;

use crate::genp::{
    core::{
        accounting::DueAction,
        recall_bound::{MOST_AT_ONCE, PAUSE_NS},
    },
    partition::Partition,
    pool::{ends::OverdueLease, lending::Due},
    registry::{Registry, Visitor},
    sys::{
        thread::{ThreadContext, Worker},
        time, trace,
    },
};

/// The thread that keeps the time, SCHED_FIFO of priority `recall_prio`.
pub(super) struct Recaller(pub(super) Arc<Registry>);

/// Announces what is due. Context: the recall thread.
fn announce(action: DueAction, lease: &OverdueLease, partition: &Partition) {
    let OverdueLease {
        handle, expires, ..
    } = *lease;
    match action {
        DueAction::Recall(_) => {
            trace::recall(partition.id().0, handle, expires);
            partition.announce_recall(handle, expires);
        }
        DueAction::Report(_) => {
            trace::overdue(partition.id().0, handle, expires);
            partition.announce_overdue(handle, expires);
        }
        // Handed over.
        DueAction::Revoke(_) => {}
    }
}

impl Recaller {
    /// Does what is due next; false if nothing is.
    fn act(&self) -> bool {
        let pool = self.0.pool();
        match pool.lending.with_time(|state, now| state.take_due(now)) {
            Some(Due::Announce(action, lease)) => {
                // A partition with a lease is still in the table.
                self.0.visit(Visitor::Recall, lease.partition, |partition| {
                    announce(action, &lease, partition)
                });
                true
            }
            Some(Due::HandedOver) => true,
            None => false,
        }
    }
}

impl Worker for Recaller {
    fn run(&self, context: &ThreadContext) {
        let lending = &self.0.pool().lending;
        loop {
            // Leases that are due together do not keep a processor from others.
            let more = (0..MOST_AT_ONCE).all(|_| self.act());
            let earliest = match more {
                true => time::now().saturating_add(PAUSE_NS),
                false => 0,
            };
            let until = lending.with_time(|state, now| state.arm(now));
            if !context.sleep_until(until.max(earliest)) {
                return;
            }
        }
    }
}
