// SPDX-License-Identifier: GPL-2.0

//! What a partition tells of itself.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::Partition;
use crate::genp::sys::abi;

fn bytes(pages: u32) -> u64 {
    u64::from(pages) << PAGE_SHIFT
}

impl Partition {
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
            windows: self.windows(),
            max_regions: self.attributes.max_regions,
            node: self.attributes.node,
            dying: self.is_dying().into(),
            misuses: counters.misuses.load(),
            stale_handles: counters.stale_handles.load(),
            events_lost: self.events.lost(),
            ..Default::default()
        };
        stat.reserve = stat.windows.reserve_length;
        self.regions.stat(&mut stat);
        self.stat_books(&mut stat);
        self.leases.stat(&mut stat);
        self.stock.stat(&mut stat);
        stat
    }

    pub(crate) fn reset_peaks(&self) {
        self.regions.reset_peak();
        self.account
            .with_lending(|state, id| state.books.reset_peak(id));
    }

    /// `GENP_GET_BOUNDS`: E2BIG for a reserve larger than any. Context: thread.
    pub(crate) fn bounds(&self, answer: &mut abi::genp_bounds) -> Result {
        answer.worst_reserve = self
            .regions
            .worst_reserve(answer.live_bytes, answer.largest_request)?;
        answer.largest_free = self.regions.largest_free();
        answer.longest_ns = self.timing.longest();
        answer.locked_longest_ns = self.account.pool().lending.longest_ns();
        answer.recall_worst_ns = self.account.pool().recall_worst_ns();
        answer.wait_bound_ns = self.account.pool().wait_bound_ns();
        Ok(())
    }
}
