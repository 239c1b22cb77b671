// SPDX-License-Identifier: GPL-2.0

//! What a partition needs, from what was seen of it, with the reasons.

use genp::Arena;
use serde_json::{json, Value};

use crate::{
    record::{Heap, Recorded},
    size, time,
};

/// The most leases of a partition.
const MOST_LEASES: u32 = 64;
/// What `create` takes for 0.
const USUAL_UNIT: u64 = 64;
const USUAL_REGIONS: u32 = 1024;

/// How much more than was seen is planned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Margin {
    pub percent: u64,
    /// What suffices whatever the order of requests, instead.
    pub always: bool,
}

impl Margin {
    fn on(&self, seen: u64) -> u64 {
        let more = u128::from(seen) * u128::from(self.percent);
        seen.saturating_add(u64::try_from(more.div_ceil(100)).unwrap_or(u64::MAX))
    }

    fn on_few(&self, seen: u32) -> u32 {
        u32::try_from(self.on(seen.into())).unwrap_or(u32::MAX)
    }
}

/// What a partition needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Need {
    pub name: String,
    pub reserve: u64,
    pub borrow: u64,
    pub max_leases: u32,
    pub waiters: u32,
    pub ends_per_second: u64,
    pub stock: u32,
    pub stock_limit: u32,
    pub stock_low: u32,
    pub unit: u64,
    pub max_regions: u32,
    /// A reserve that suffices for these blocks in any order, if they are known.
    pub always: Option<u64>,
    /// For people.
    pub notes: Vec<String>,
}

/// The most that a heap took, and whether there may have been need of more.
fn of_heap(heap: &Heap, notes: &mut Vec<String>) -> u64 {
    notes.push(format!(
        "{} of live blocks at most, headers included; the largest {}.",
        size::show(heap.needed_peak_bytes),
        size::show(heap.largest_request_bytes)
    ));
    let without_room = heap.overflowed.saturating_add(heap.refused);
    if without_room > 0 {
        notes.push(format!(
            "{without_room} requests had no room in {} while it was recorded.",
            size::show(heap.reserve_bytes)
        ));
        // Its own peak is that of a heap that was full.
        return heap.needed_peak_bytes.saturating_add(Arena::OWN);
    }
    heap.needed_peak_bytes
        .saturating_add(Arena::OWN)
        .max(heap.taken_peak_bytes)
}

/// The most of the reserve that was in use.
fn of_reserve(seen: &Recorded, notes: &mut Vec<String>) -> u64 {
    if let Some(heap) = &seen.heap {
        return of_heap(heap, notes);
    }
    let peak = seen.heap_peak_bytes.unwrap_or(seen.used_peak_bytes);
    // Full but for an eighth: there may have been need of more.
    if seen.reserve_bytes > 0 && peak >= seen.reserve_bytes - seen.reserve_bytes / 8 {
        notes.push(match seen.heap_peak_bytes {
            Some(_) => "At least: the heap was full while it was recorded.".to_owned(),
            None => {
                "At least: the reserve was full, or one region; a heap did not tell.".to_owned()
            }
        });
    }
    peak
}

impl Need {
    pub fn of(seen: &Recorded, page: u64, margin: &Margin) -> Self {
        let mut need = Self {
            name: seen.name.clone(),
            unit: seen.region_unit_bytes,
            ..Default::default()
        };
        let pages = |bytes: u64| bytes.checked_next_multiple_of(page).unwrap_or(u64::MAX);
        let reserve = of_reserve(seen, &mut need.notes);
        need.always = seen.heap.as_ref().map(|heap| {
            pages(Arena::enough_for(
                heap.needed_peak_bytes,
                heap.largest_request_bytes,
            ))
        });
        need.reserve = match need.always.filter(|_| margin.always) {
            Some(always) => always,
            None => pages(margin.on(reserve)),
        };
        if seen.regions_peak > 1 {
            need.max_regions = margin.on_few(seen.regions_peak);
        }
        need.leases(seen, &pages, margin);
        need.stock(seen, margin);
        need
    }

    fn count(seen: &Recorded, key: &str) -> u64 {
        seen.counters.get(key).copied().unwrap_or(0)
    }

    fn leases(&mut self, seen: &Recorded, pages: &impl Fn(u64) -> u64, margin: &Margin) {
        let refused = Self::count(seen, "budget_refusals");
        if seen.lent_peak_bytes == 0 && refused == 0 {
            return;
        }
        self.borrow = pages(margin.on(seen.lent_peak_bytes));
        if refused > 0 {
            self.borrow = self.borrow.max(pages(margin.on(seen.borrow_limit_bytes)));
            let limit = size::show(seen.borrow_limit_bytes);
            self.notes.push(format!(
                "{refused} borrows were refused at a limit of {limit}: at least."
            ));
        }
        self.max_leases = margin.on_few(seen.leases_peak).clamp(1, MOST_LEASES);
        let waited = Self::count(seen, "waits") > 0;
        self.waiters = seen.waiters_peak.max(waited.into()).min(self.max_leases);
        self.ends_per_second = match seen.ends_peak_per_second {
            0 => 0,
            ends => margin.on(ends),
        };
        let revoked = Self::count(seen, "revocations");
        if revoked > 0 {
            self.notes.push(format!(
                "{revoked} leases were revoked: their terms were too short, or they are not returned."
            ));
        }
        if let Some(mean) = seen.lease_held_mean_ns {
            self.notes.push(format!(
                "A lease was held for {} on average, which says nothing of the longest: no term is suggested.",
                time::short(mean)
            ));
        }
        if seen.wait_longest_ns > 0 {
            self.notes.push(format!(
                "The longest wait was {}.",
                time::short(seen.wait_longest_ns)
            ));
        }
    }

    fn stock(&mut self, seen: &Recorded, margin: &Margin) {
        if seen.stock_pages == 0 {
            return;
        }
        self.stock = margin.on_few(seen.stock_out_peak_pages).max(1);
        let missed = Self::count(seen, "stock_misses");
        if missed > 0 {
            self.stock = self.stock.max(margin.on_few(seen.stock_limit_pages));
            self.notes.push(format!(
                "{missed} takes found no page: at least; genpctl stock calculates from bursts."
            ));
        }
        if Self::count(seen, "stock_refills") > 0 {
            self.stock_limit = seen.stock_limit_pages.max(self.stock);
            self.stock_low = seen.stock_low_pages.min(self.stock);
        }
    }

    /// The most of both; what a reason was for one of them remains.
    pub fn most_of(&mut self, other: Self) {
        self.reserve = self.reserve.max(other.reserve);
        self.borrow = self.borrow.max(other.borrow);
        self.max_leases = self.max_leases.max(other.max_leases);
        self.waiters = self.waiters.max(other.waiters);
        self.ends_per_second = self.ends_per_second.max(other.ends_per_second);
        self.stock = self.stock.max(other.stock);
        self.stock_limit = self.stock_limit.max(other.stock_limit);
        self.stock_low = self.stock_low.max(other.stock_low);
        self.max_regions = self.max_regions.max(other.max_regions);
        // A multiple of one unit is one of the other: both are powers of two.
        self.unit = self.unit.min(other.unit);
        self.always = self.always.max(other.always);
        self.notes.extend(other.notes);
    }

    /// Its part of the plan.
    pub fn text(&self) -> String {
        let mut text = String::from("\n");
        for note in &self.notes {
            text.push_str(&format!("# {note}\n"));
        }
        if let Some(always) = self.always {
            let always = size::show(always);
            text.push_str(&format!(
                "# Whatever the order of requests, {always} suffice.\n"
            ));
        }
        text.push_str(&format!(
            "[[partition]]\nname = \"{}\"\nreserve = {}\n",
            self.name, self.reserve
        ));
        let mut line = |key: &str, value: u64, usual: u64| {
            if value != 0 && value != usual {
                text.push_str(&format!("{key} = {value}\n"));
            }
        };
        line("borrow", self.borrow, 0);
        line("max_leases", self.max_leases.into(), 0);
        line("waiters", self.waiters.into(), 0);
        line("ends_per_second", self.ends_per_second, 0);
        line("stock", self.stock.into(), 0);
        line("stock_limit", self.stock_limit.into(), 0);
        line("stock_low", self.stock_low.into(), 0);
        if self.max_regions > USUAL_REGIONS {
            line("max_regions", self.max_regions.into(), 0);
        }
        if self.unit > USUAL_UNIT || (1..USUAL_UNIT).contains(&self.unit) {
            text.push_str(&format!("unit = \"{}\"\n", self.unit));
        }
        text
    }

    pub fn document(&self) -> Value {
        json!({
            "name": self.name,
            "reserve_bytes": self.reserve,
            "always_bytes": self.always,
            "borrow_limit_bytes": self.borrow,
            "max_leases": self.max_leases,
            "waiters": self.waiters,
            "ends_per_second": self.ends_per_second,
            "stock_pages": self.stock,
            "stock_limit_pages": self.stock_limit,
            "stock_low_pages": self.stock_low,
            "region_unit_bytes": self.unit,
            "max_regions": self.max_regions,
            "notes": self.notes,
        })
    }
}
