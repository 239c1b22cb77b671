// SPDX-License-Identifier: GPL-2.0

//! The scrub thread: zeroes free frames ahead of their next use, and checks whether
//! those in quarantine are still referred to.

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::PartitionId,
    pool::Pool,
    sys::{
        thread::{ThreadContext, Worker},
        time,
    },
};

/// How often frames in quarantine are checked.
const QUARANTINE_NS: u64 = 50_000_000;

/// The scrub thread. It has ordinary priority: no bound relies on it, because a borrower
/// that gets a dirty frame zeroes it itself.
pub(crate) struct Scrubber(pub(crate) Arc<Pool>);

impl Scrubber {
    /// Frees what nobody refers to any longer, at most a batch for each partition.
    fn check_quarantine(&self) {
        for id in 0..self.0.config.max_partitions {
            let released = self.0.free_frames.release_quarantine(id);
            self.0.release(PartitionId(id), released);
        }
    }
}

impl Worker for Scrubber {
    fn run(&self, context: &ThreadContext) {
        loop {
            while !context.stopping() && self.0.scrub() {
                context.yield_now();
            }
            let mut wake = u64::MAX;
            if self.0.free_frames.quarantined() > 0 {
                self.check_quarantine();
                wake = time::now().saturating_add(QUARANTINE_NS);
            }
            if !context.sleep_until(wake) {
                return;
            }
        }
    }
}
