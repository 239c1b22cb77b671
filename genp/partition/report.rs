// SPDX-License-Identifier: GPL-2.0

//! The figures of a partition: its statistics, its line in a list, and its bounds.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::Partition;
use crate::genp::sys::{abi, task};

impl Partition {
    /// `GENP_GET_STAT`. Context: thread, may sleep.
    pub(crate) fn stat(&self) -> abi::genp_stat {
        let mut stat = abi::genp_stat {
            name: self.attributes.name,
            windows: self.windows(),
            node: self.attributes.node,
            dying: self.is_dying().into(),
            events_lost: self.events.lost(),
            memory_errors: self.memory_errors.load(),
            ..Default::default()
        };
        stat.reserve = stat.windows.reserve_length;
        let heap = self.reserve.heap_figures();
        (stat.heap_used, stat.heap_peak) = (heap.used, heap.peak);
        self.regions.stat(&mut stat);
        self.account.stat(&mut stat);
        self.leases.stat(&mut stat);
        self.stock.stat(&mut stat);
        self.blocks.stat(&mut stat);
        self.errors.stat(&mut stat);
        stat
    }

    /// What `GENP_LIST` tells of it; `None` if its owner has no number in the user namespace
    /// of the current task. Waits for nobody but holders of raw locks, and has nobody charged:
    /// the caller may be a stranger. Constant, but for the number of CPUs. Context: thread.
    pub(crate) fn listed(&self) -> Option<abi::genp_list> {
        let mut listed = abi::genp_list {
            uid: task::uid_here(self.attributes.uid)?,
            pid: self.attributes.creator.number_here(),
            id: self.id().0,
            name: self.attributes.name,
            dying: self.is_dying().into(),
            reserve: self.reserve.settled_pages() << PAGE_SHIFT,
            ..Default::default()
        };
        let heap = self.reserve.heap_figures_unless_locked();
        (listed.heap_used, listed.heap_peak) = (heap.used, heap.peak);
        self.regions.list(&mut listed);
        self.account.list(&mut listed);
        self.leases.list(&mut listed);
        self.stock.list(&mut listed);
        self.errors.list(&mut listed);
        Some(listed)
    }

    /// `GENP_SET_HEAP`: EINVAL, EOPNOTSUPP. Context: thread, may sleep.
    pub(crate) fn set_heap(&self, offset: u64) -> Result {
        self.reserve.set_heap(offset)
    }

    /// Lets the peaks of regions and leases begin anew. Context: thread.
    pub(crate) fn reset_peaks(&self) {
        self.regions.reset_peak();
        self.account.reset_peak();
    }

    /// `GENP_GET_BOUNDS`: E2BIG for a reserve larger than any. Context: thread.
    pub(crate) fn bounds(&self, answer: &mut abi::genp_bounds) -> Result {
        answer.worst_reserve = self
            .regions
            .worst_reserve(answer.live_bytes, answer.largest_request)?;
        answer.largest_free = self.regions.largest_free();
        answer.longest_ns = self.timing.longest();
        let pool = self.pool();
        answer.locked_longest_ns = pool.lending.longest_ns();
        answer.recall_worst_ns = pool.recall_worst_ns();
        answer.recall_bound_ns = pool.recall_bound_ns();
        answer.wait_bound_ns = pool.wait_bound_ns();
        self.account.bounds(answer);
        Ok(())
    }
}
