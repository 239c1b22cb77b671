// SPDX-License-Identifier: GPL-2.0

//! The thread that does what is not urgent: it looks for memory errors when the kernel
//! reports one, retires free frames, and tells owners of theirs; and it tells crowds of
//! listeners of events, and whoever waits for an eventfd.

use kernel::sync::Arc;

use crate::genp::{
    core::accounting::PartitionId,
    registry::Registry,
    sys::{
        thread::{ThreadContext, Worker},
        time,
    },
};

/// How often it looks if errors are not reported.
const PERIOD_NS: u64 = 1_000_000_000;

/// The thread. It has ordinary priority: a look is linear in the pool, and no bound relies on
/// it. Whatever is lent or given back before it has looked is looked at on its way.
pub(super) struct ErrorFinder(pub(super) Arc<Registry>);

impl ErrorFinder {
    /// Looks through all that the pool has, in pieces. Which frame the kernel told of does
    /// not matter: no report can be lost, and several cost one look.
    fn look(&self, context: &ThreadContext) {
        let pool = self.0.pool();
        // A look is long, and events do not wait for its end.
        let pause = || {
            self.tell_crowds();
            context.yield_now();
        };
        pool.retire_clean(pause);
        for partition in self.0.iter() {
            if context.stopping() {
                return;
            }
            partition.find_memory_errors(pause);
        }
        // It retires the dirty ones.
        pool.wakers.scrub.wake();
    }

    /// Wakes those who wait for events and whom the notify thread does not wake.
    fn tell_crowds(&self) {
        let pool = self.0.pool();
        for id in (0..pool.config.max_partitions).map(PartitionId) {
            let types = pool.pending_events.take_crowd(id);
            if types != 0 {
                if let Some(partition) = self.0.get(id) {
                    partition.tell_crowd(types);
                }
            }
        }
    }
}

impl Worker for ErrorFinder {
    fn run(&self, context: &ThreadContext) {
        let errors = &self.0.pool().errors;
        loop {
            self.tell_crowds();
            let reported = errors.reported();
            if errors.pending() {
                self.look(context);
                errors.set_handled(reported);
            }
            let wake = match errors.is_untold() {
                true => time::now().saturating_add(PERIOD_NS),
                false => u64::MAX,
            };
            if !context.sleep_until(wake) {
                return;
            }
        }
    }
}
