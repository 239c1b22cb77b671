// SPDX-License-Identifier: GPL-2.0

//! The refill thread: gives stocks that run low what nobody else needs, and takes it
//! away again.

use kernel::sync::Arc;

use crate::genp::{
    core::books::PartitionId,
    registry::{Registry, Visitor},
    sys::thread::{Parker, Worker},
};

/// The thread that refills and drains, SCHED_FIFO of priority `refill_prio`.
pub(super) struct Refiller(pub(super) Arc<Registry>);

impl Worker for Refiller {
    fn run(&self, me: &Parker) {
        let pool = self.0.pool();
        loop {
            for id in (0..pool.config.max_partitions).map(PartitionId) {
                if pool.wants.take(id) {
                    self.0
                        .visit(Visitor::Refill, id, |partition| partition.refill_stock());
                }
            }
            if !me.park_until(u64::MAX) {
                return;
            }
        }
    }
}
