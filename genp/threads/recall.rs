// SPDX-License-Identifier: GPL-2.0

//! The recall thread: announces the end of leases and ends those that are not returned.
//!
//! It depends on no borrower: a lock that it shares with them is a PI mutex, which is
//! held for a bounded piece of work and lends the holder this thread's priority.

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::{DueAction, EndReason, PartitionId},
    partition::Partition,
    registry::{Registry, Visitor},
    sys::{
        thread::{ThreadContext, Worker},
        time, trace,
    },
};

/// The thread that ends leases, SCHED_FIFO of priority `recall_prio`.
pub(super) struct Recaller(pub(super) Arc<Registry>);

/// A lease for which something is due.
struct DueLease {
    due: DueAction,
    partition: PartitionId,
    handle: u64,
    expires: u64,
}

impl DueLease {
    /// Does what is due. Context: the recall thread.
    fn act(&self, partition: &Partition) {
        match self.due {
            DueAction::Recall(_) => {
                trace::recall(self.partition.0, self.handle, self.expires);
                partition.announce_recall(self.handle, self.expires);
            }
            DueAction::Report(_) => {
                trace::overdue(self.partition.0, self.handle, self.expires);
                partition.announce_overdue(self.handle, self.expires);
            }
            DueAction::Revoke(_) => {
                // Refused if its borrower returned it meanwhile; it is over either way.
                if let Ok(bytes) = partition.end_lease(self.handle, EndReason::Revoked) {
                    trace::revoke(self.partition.0, self.handle, bytes);
                    partition.announce_revocation(self.handle, self.expires, bytes);
                }
            }
        }
    }
}

impl Recaller {
    /// The next lease that is due, if any.
    fn next(&self) -> Option<DueLease> {
        self.0.pool().lending.with(|state| {
            let due = state.accounting.due(time::now())?;
            let lease = match due {
                DueAction::Recall(lease) | DueAction::Revoke(lease) | DueAction::Report(lease) => {
                    lease
                }
            };
            let entry = state.accounting.lease(lease);
            Some(DueLease {
                due,
                partition: entry.partition(),
                handle: entry.handle(),
                expires: entry.expires(),
            })
        })
    }
}

impl Worker for Recaller {
    fn run(&self, context: &ThreadContext) {
        let lending = &self.0.pool().lending;
        loop {
            while let Some(due) = self.next() {
                // A partition with a lease is still in the table.
                self.0.visit(Visitor::Recall, due.partition, |partition| {
                    due.act(partition)
                });
            }
            lending.serve();
            let until = lending.with(|state| state.arm());
            if !context.sleep_until(until) {
                return;
            }
        }
    }
}
