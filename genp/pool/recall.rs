// SPDX-License-Identifier: GPL-2.0

//! The recall thread: announces the end of leases and ends those that are not
//! given back.
//!
//! It depends on no borrower: where one holds a lock that it needs, or is about to
//! end the lease itself, that is under a PI mutex, which is held for a bounded
//! piece of work and lends the holder this thread's priority.

use kernel::sync::Arc;

use super::{
    super::{
        core::books::{Due, How, PartitionId},
        sys::{
            thread::{Parker, Worker},
            time, trace,
        },
    },
    Pool,
};

/// The thread that ends leases, SCHED_FIFO of priority `recall_prio`.
pub(crate) struct Recaller(pub(crate) Arc<Pool>);

/// What the desk said of a lease that is due.
struct Case {
    due: Due,
    partition: PartitionId,
    handle: u64,
    expires: u64,
}

impl Recaller {
    /// The next lease that is due, if any.
    fn next(&self) -> Option<Case> {
        self.0.front.with(|desk| {
            let due = desk.books.due(time::now())?;
            let lease = match due {
                Due::Recall(lease) | Due::Revoke(lease) | Due::Report(lease) => lease,
            };
            let entry = desk.books.lease(lease);
            Some(Case {
                due,
                partition: entry.partition(),
                handle: entry.handle(),
                expires: entry.expires(),
            })
        })
    }

    /// Does what is due. The partition's last reference must not fall here, for
    /// it sleeps when it falls: its close waits until [`Visit`] is over.
    fn attend(&self, case: &Case) {
        let _visit = self.0.recalling.begin(case.partition);
        // A partition with a lease is on the roster: it leaves it last of all.
        let Some(partition) = self.0.roster.get(case.partition) else {
            return;
        };
        match case.due {
            Due::Recall(_) => {
                trace::recall(case.partition.0, case.handle, case.expires);
                partition.announce_recall(case.handle, case.expires);
            }
            Due::Report(_) => {
                trace::overdue(case.partition.0, case.handle, case.expires);
                partition.announce_overdue(case.handle, case.expires);
            }
            Due::Revoke(_) => {
                // Refused if its borrower was faster; it is over in any case.
                if let Ok(bytes) = partition.end_lease(case.handle, How::Revoked) {
                    trace::revoke(case.partition.0, case.handle, bytes);
                    partition.announce_revocation(case.handle, case.expires, bytes);
                }
            }
        }
    }
}

impl Worker for Recaller {
    fn run(&self, me: &Parker) {
        loop {
            while let Some(case) = self.next() {
                self.attend(&case);
            }
            self.0.front.serve();
            let until = self.0.front.with(|desk| desk.arm());
            if !me.park_until(until) {
                return;
            }
        }
    }
}
