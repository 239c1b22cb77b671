// SPDX-License-Identifier: GPL-2.0

//! What was seen of partitions while they were used, as it is kept in a file.

use std::collections::BTreeMap;

use genp::abi::{self, genp_bounds, genp_info, genp_stat};
use serde::{Deserialize, Serialize};

use crate::{partitions::told, stat::counters};

/// The version of the file: it changes if a key gets another meaning.
pub const VERSION: u32 = 1;
const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// A recording.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Recording {
    /// [`VERSION`].
    pub genp_recording: u32,
    pub page_size_bytes: u32,
    pub max_lease_ms: u64,
    pub grace_ms: u64,
    pub interval_ns: u64,
    pub duration_ns: u64,
    pub partitions: Vec<Recorded>,
}

impl Recording {
    pub fn new(info: &genp_info, interval_ns: u64) -> Self {
        Self {
            genp_recording: VERSION,
            page_size_bytes: info.page_size,
            max_lease_ms: info.max_lease_ns / MS,
            grace_ms: info.grace_ns / MS,
            interval_ns,
            ..Default::default()
        }
    }
}

/// Blocks of a program of up to so many bytes, and of more than half of that.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Class {
    pub up_to_bytes: u64,
    pub requests: u64,
    pub live: u64,
    pub live_peak: u64,
}

/// What libgenp-preload tells at the end of a program.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Heap {
    pub reserve_bytes: u64,
    pub used_bytes: u64,
    pub taken_peak_bytes: u64,
    pub largest_free_bytes: u64,
    pub fragmentation_thousandths: u32,
    pub cached_blocks: u32,
    pub refused: u64,
    pub overflowed: u64,
    pub in_handlers: u64,
    pub needed_peak_bytes: u64,
    pub largest_request_bytes: u64,
    pub classes: Vec<Class>,
}

/// What was seen of a partition.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Recorded {
    pub name: String,
    pub program: Vec<String>,
    pub looks: u64,
    pub reserve_bytes: u64,
    pub used_peak_bytes: u64,
    pub heap_peak_bytes: Option<u64>,
    pub borrow_limit_bytes: u64,
    pub lent_peak_bytes: u64,
    pub regions_peak: u32,
    pub region_unit_bytes: u64,
    pub leases_peak: u32,
    pub waiters_peak: u32,
    pub ends_peak_per_second: u64,
    pub wait_longest_ns: u64,
    pub lease_held_mean_ns: Option<u64>,
    pub stock_pages: u32,
    pub stock_limit_pages: u32,
    pub stock_low_pages: u32,
    pub stock_out_peak_pages: u32,
    pub counters: BTreeMap<String, u64>,
    pub heap: Option<Heap>,
}

/// A partition that is being watched.
#[derive(Debug, Default)]
pub struct Watched {
    pub recorded: Recorded,
    first: Option<(u64, genp_stat)>,
    last: Option<(u64, genp_stat)>,
    /// Leases times nanoseconds so far.
    held: u128,
}

impl Watched {
    pub fn new(name: &str, program: Vec<String>) -> Self {
        let recorded = Recorded {
            name: name.to_owned(),
            program,
            ..Default::default()
        };
        Self {
            recorded,
            ..Default::default()
        }
    }

    /// Takes what it is now, so many nanoseconds after the beginning.
    pub fn look(&mut self, now_ns: u64, stat: &genp_stat) {
        let it = &mut self.recorded;
        it.looks += 1;
        it.reserve_bytes = stat.reserve;
        it.borrow_limit_bytes = stat.borrow_limit;
        it.used_peak_bytes = it.used_peak_bytes.max(stat.used_peak);
        it.lent_peak_bytes = it.lent_peak_bytes.max(stat.lent_peak);
        it.heap_peak_bytes = it.heap_peak_bytes.max(told(stat.heap_peak));
        it.regions_peak = it.regions_peak.max(stat.regions);
        it.region_unit_bytes = 1u64.checked_shl(stat.min_alloc_order).unwrap_or(0);
        it.leases_peak = it.leases_peak.max(stat.leases);
        it.waiters_peak = it.waiters_peak.max(stat.waiters);
        it.stock_pages = stat.stock_pages;
        it.stock_limit_pages = stat.stock_limit;
        it.stock_low_pages = stat.stock_low;
        it.stock_out_peak_pages = it.stock_out_peak_pages.max(stat.stock_out);
        if let Some((then_ns, then)) = &self.last {
            let passed = now_ns.saturating_sub(*then_ns).max(1);
            self.held += u128::from(then.leases) * u128::from(passed);
            let ends = ends(stat).saturating_sub(ends(then));
            // A rate of less than a second would be of one event.
            let rate = ends.saturating_mul(SECOND).div_ceil(passed.max(SECOND));
            it.ends_peak_per_second = it.ends_peak_per_second.max(rate);
        }
        if self.first.is_none() {
            self.first = Some((now_ns, *stat));
        }
        self.last = Some((now_ns, *stat));
    }

    /// Takes its longest times, which are those since its creation.
    pub fn longest(&mut self, bounds: &genp_bounds) {
        let longest = bounds.longest_ns.get(abi::GENP_OP_WAIT as usize);
        self.recorded.wait_longest_ns = longest.copied().unwrap_or(0);
    }

    /// What was seen of it, counters since the first look.
    pub fn end(mut self) -> Recorded {
        if let (Some((_, first)), Some((_, last))) = (&self.first, &self.last) {
            let before = counters(first);
            for ((label, count), (_, from)) in counters(last).iter().zip(before) {
                let since = count.saturating_sub(from);
                let key = label.replace(' ', "_");
                self.recorded.counters.insert(key, since);
            }
            let granted = last.borrows.saturating_sub(first.borrows);
            let mean = self.held.checked_div(granted.into());
            self.recorded.lease_held_mean_ns = mean.and_then(|ns| u64::try_from(ns).ok());
        }
        self.recorded
    }
}

/// Leases that GenP ended or announced the end of.
fn ends(stat: &genp_stat) -> u64 {
    stat.revocations.max(stat.recalls)
}
