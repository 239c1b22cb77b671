// SPDX-License-Identifier: GPL-2.0

//! The revoking thread: ends leases that were not returned, and serves whoever waits.
//!
//! It works at the priority of who needs it most ([`Pool::settle_urgency`]), and in pieces,
//! before each of which it sees whether that has changed. It depends on no borrower: a
//! lock that it shares with them is a PI mutex, which is held for one piece of work and
//! lends the holder this thread's priority.
//!
//! [`Pool::settle_urgency`]: crate::genp::pool::Pool::settle_urgency

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::PartitionId,
    partition::Revocation,
    registry::{Registry, Visitor},
    sys::thread::{ThreadContext, Worker},
};

/// The thread that ends leases, SCHED_FIFO of a priority from `recall_base_prio` to
/// `recall_prio`.
pub(super) struct Revoker(pub(super) Arc<Registry>);

/// The lease that it is ending.
struct UnderWay {
    partition: PartitionId,
    revocation: Revocation,
}

impl Revoker {
    /// The next lease to end, if any.
    fn next(&self) -> Option<UnderWay> {
        let lease = self.0.pool().lending.with(|state| state.next_end())?;
        Some(UnderWay {
            partition: lease.partition,
            revocation: Revocation::new(lease.handle, lease.expires),
        })
    }

    /// Does one piece of it; whether it is over.
    fn go_on(&self, under_way: &mut UnderWay) -> bool {
        // A partition that is not in the table any more has no leases.
        let mut over = true;
        self.0
            .visit(Visitor::Revoke, under_way.partition, |partition| {
                over = partition.revoke_piece(&mut under_way.revocation);
            });
        over
    }
}

impl Worker for Revoker {
    fn run(&self, context: &ThreadContext) {
        let pool = self.0.pool();
        let mut under_way = None;
        loop {
            // Before anything else: if nobody waits any more, nothing is done at their
            // priority.
            pool.settle_urgency();
            pool.serve();
            under_way = under_way.or_else(|| self.next());
            match &mut under_way {
                Some(lease) => {
                    if self.go_on(lease) {
                        under_way = None;
                    }
                    context.yield_now();
                }
                None => {
                    pool.settle_urgency();
                    if !context.sleep_until(u64::MAX) {
                        return;
                    }
                }
            }
        }
    }
}
