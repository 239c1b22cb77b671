// SPDX-License-Identifier: GPL-2.0

//! What a partition tells of itself.

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::{request::window_layout, Partition};
use crate::genp::{core::bounds, sys::abi};

fn bytes(pages: u32) -> u64 {
    u64::from(pages) << PAGE_SHIFT
}

impl Partition {
    /// Where it is mapped.
    pub(crate) fn places(&self) -> abi::genp_windows {
        window_layout(self.reserve_pages(), &self.attributes)
    }

    /// What the regions say.
    fn stat_regions(&self, stat: &mut abi::genp_stat) {
        let regions = self.regions.lock();
        let order = self.attributes.order;
        stat.used = u64::from(regions.used_units()) << order;
        stat.used_peak = u64::from(regions.used_peak()) << order;
        stat.regions = regions.regions();
    }

    /// What the books say.
    fn stat_books(&self, stat: &mut abi::genp_stat) {
        self.account.with_lending(|state, id| {
            let account = state.books.account(id);
            let counters = account.counters();
            stat.borrow_limit = bytes(account.limit());
            stat.lent = bytes(account.lent());
            stat.lent_peak = bytes(account.lent_peak());
            stat.leases = account.leases();
            stat.waiters = account.waiting();
            stat.borrows = counters.borrows;
            stat.returns = counters.returns;
            stat.renewals = counters.renewals;
            stat.recalls = counters.recalls;
            stat.revocations = counters.revocations;
            stat.overdues = counters.overdues;
            stat.waits = counters.waits;
            stat.budget_refusals = counters.budget_refusals;
            stat.pool_refusals = counters.pool_refusals;
            stat.table_refusals = counters.table_refusals;
        });
    }

    /// `GENP_GET_STAT`. Context: thread.
    pub(crate) fn stat(&self) -> abi::genp_stat {
        let counters = &self.counters;
        let mut stat = abi::genp_stat {
            name: self.attributes.name,
            windows: self.places(),
            max_regions: self.attributes.max_regions,
            max_leases: self.attributes.max_leases,
            min_alloc_order: self.attributes.order,
            node: self.attributes.node,
            dying: self.is_dying().into(),
            allocs: counters.allocs.load(),
            frees: counters.frees.load(),
            alloc_failures: counters.alloc_failures.load(),
            timeouts: counters.timeouts.load(),
            interruptions: counters.interruptions.load(),
            misuses: counters.misuses.load(),
            stale_handles: counters.stale_handles.load(),
            events_lost: self.events.lost(),
            ..Default::default()
        };
        stat.reserve = stat.windows.reserve_length;
        self.stat_regions(&mut stat);
        self.stat_books(&mut stat);
        self.stat_stock(&mut stat);
        stat
    }

    pub(crate) fn reset_peaks(&self) {
        self.regions.lock().reset_peak();
        self.account
            .with_lending(|state, id| state.books.reset_peak(id));
    }

    /// `GENP_GET_BOUNDS`: E2BIG for a reserve larger than any. Context: thread.
    pub(crate) fn bounds(&self, answer: &mut abi::genp_bounds) -> Result {
        let order = self.attributes.order;
        answer.worst_reserve = if answer.live_bytes == 0 {
            0
        } else {
            let unit = 1u64 << order;
            let units = bounds::worst_reserve(
                answer.live_bytes.div_ceil(unit),
                answer.largest_request.max(1).div_ceil(unit),
            );
            // More units than a reserve can have.
            let worst = units
                .filter(|&units| units < u64::from(u32::MAX))
                .and_then(|units| units.checked_mul(unit))
                .and_then(|bytes| bytes.checked_next_multiple_of(PAGE_SIZE as u64));
            worst.ok_or(super::super::sys::errno::E2BIG)?
        };
        answer.largest_free = u64::from(self.regions.lock().largest_free()) << order;
        answer.longest_ns = self.timing.longest();
        answer.locked_longest_ns = self.account.pool().lending.longest_ns();
        answer.recall_worst_ns = self.account.pool().recall_worst_ns();
        answer.wait_bound_ns = self.account.pool().wait_bound_ns();
        Ok(())
    }
}
