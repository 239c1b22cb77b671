// SPDX-License-Identifier: GPL-2.0

//! The refill thread: fills stocks that run low with frames that nobody else needs, and
//! drains stocks that have too many.

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::PartitionId,
    pool::lending::LendingState,
    registry::{Registry, Visitor},
    sys::thread::{ThreadContext, Worker},
};

/// The thread that refills and drains, SCHED_FIFO of priority `refill_prio`.
pub(super) struct Refiller(pub(super) Arc<Registry>);

impl Worker for Refiller {
    fn run(&self, context: &ThreadContext) {
        let pool = self.0.pool();
        loop {
            if pool.lending.with(LendingState::take_rearmed) {
                pool.pending_refills.rearm();
            }
            for id in (0..pool.config.max_partitions).map(PartitionId) {
                if pool.pending_refills.take(id) {
                    self.0
                        .visit(Visitor::Refill, id, |partition| partition.refill_stock());
                }
            }
            if !context.sleep_until(u64::MAX) {
                return;
            }
        }
    }
}
