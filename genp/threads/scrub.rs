// SPDX-License-Identifier: GPL-2.0

//! The scrubber: zeroes frames ahead of their next owner, and looks whether
//! those in quarantine were let go.

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::PartitionId,
    pool::Pool,
    sys::{
        thread::{ThreadContext, Worker},
        time,
    },
};

/// How often frames in quarantine are looked at.
const QUARANTINE_NS: u64 = 50_000_000;

/// The thread that scrubs. It is of ordinary priority: nobody's bound counts on
/// it, because who borrows a dirty frame zeroes it.
pub(crate) struct Scrubber(pub(crate) Arc<Pool>);

impl Scrubber {
    /// Lets go what nobody else holds any longer, a batch for each partition.
    fn look_at_quarantine(&self) {
        for id in 0..self.0.config.max_partitions {
            let freed = self.0.free_frames.release_quarantine(id);
            self.0.release(PartitionId(id), freed);
        }
    }
}

impl Worker for Scrubber {
    fn run(&self, context: &ThreadContext) {
        loop {
            while !context.stopping() && self.0.free_frames.scrub() {
                context.yield_now();
            }
            let mut wake = u64::MAX;
            if self.0.free_frames.quarantined() > 0 {
                self.look_at_quarantine();
                wake = time::now().saturating_add(QUARANTINE_NS);
            }
            if !context.sleep_until(wake) {
                return;
            }
        }
    }
}
