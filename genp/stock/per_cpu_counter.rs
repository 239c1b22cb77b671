// SPDX-License-Identifier: GPL-2.0

//! How many pages of a stock are free, counted without a counter that all CPUs write.
//!
//! Each CPU counts in a cache line of its own; the sum of all is exact while nobody
//! takes or gives. Each time a CPU begins a batch, it carries that over to a shared
//! counter in advance, by which watermarks are noticed.

use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
};

use super::Crossing;
use crate::genp::{
    core::watermarks::Watermarks,
    sys::{
        atomic::InlineAtomic,
        cpu::{self, CurrentCpu},
    },
};

/// The most that a CPU carries over at once, a power of two.
const MAX_BATCH: u32 = 32;

/// What happened on one CPU, in interrupts and NMIs as well. Written there alone.
#[repr(align(64))]
pub(super) struct CpuCounts {
    takes: InlineAtomic,
    gives: InlineAtomic,
    misses: InlineAtomic,
    /// The slot that was last taken there.
    last: InlineAtomic,
}

impl CpuCounts {
    /// The slot that was last taken on this CPU, or so.
    #[inline(always)]
    pub(super) fn last(&self) -> u32 {
        // CAST: a slot.
        self.last.load() as u32
    }
}

/// The level of a stock.
pub(crate) struct PerCpuCounter {
    per_cpu: KVVec<CpuCounts>,
    /// Pages that came otherwise than by a give, less those that went.
    added: Atomic<i64>,
    /// Free pages, but for what CPUs carried over and have not counted yet.
    shared: Atomic<i64>,
    /// A power of two, less one.
    batch: u64,
    /// At this or below it is time to look whether to refill, above `high` whether to
    /// drain.
    low: i64,
    /// Below this a stock that cannot be refilled was looked at before.
    floor: i64,
    high: i64,
    /// Whether it can be refilled.
    grows: bool,
}

impl PerCpuCounter {
    /// The level of an empty stock. Context: thread, may sleep.
    pub(super) fn new(watermarks: &Watermarks) -> Result<Self> {
        let cpus = cpu::count();
        let mut per_cpu = KVVec::with_capacity(cpus as usize, GFP_KERNEL)?;
        for cpu in 0..cpus {
            let counts = CpuCounts {
                takes: InlineAtomic::new(0),
                gives: InlineAtomic::new(0),
                misses: InlineAtomic::new(0),
                last: InlineAtomic::new(
                    u64::from(watermarks.limit()) * u64::from(cpu) / u64::from(cpus),
                ),
            };
            per_cpu.push(counts, GFP_KERNEL)?;
        }
        // What all CPUs together keep for themselves is at most half of `low`.
        let share = (watermarks.low() / cpus.saturating_mul(2).max(1)).clamp(1, MAX_BATCH);
        let batch = 1u32 << share.checked_ilog2().unwrap_or(0);
        let unseen = i64::from(batch.saturating_sub(1)).saturating_mul(cpus.into());
        Ok(Self {
            per_cpu,
            added: Atomic::new(0),
            shared: Atomic::new(0),
            batch: batch.wrapping_sub(1).into(),
            low: i64::from(watermarks.low()).saturating_add(unseen),
            floor: i64::from(watermarks.low()).saturating_sub(unseen),
            high: i64::from(watermarks.pages()).saturating_sub(unseen),
            grows: watermarks.grows(),
        })
    }

    /// What is kept on this CPU; there is something for each.
    #[inline(always)]
    pub(super) fn counts(&self, cpu: &CurrentCpu) -> Option<&CpuCounts> {
        self.per_cpu.get(cpu.number() as usize)
    }

    /// Counts one more; true if that begins a batch.
    #[inline(always)]
    fn begins_batch(&self, counter: &InlineAtomic) -> bool {
        counter.add_here(1) & self.batch == 0
    }

    fn batch(&self) -> i64 {
        // CAST: a small number.
        self.batch.wrapping_add(1) as i64
    }

    /// Counts a take of this slot. Context: any.
    #[inline(always)]
    pub(super) fn take(&self, counts: &CpuCounts, slot: u32) -> Crossing {
        counts.last.store(slot.into());
        match self.begins_batch(&counts.takes) {
            true => self.fold_takes(),
            false => Crossing::Within,
        }
    }

    /// Carries a batch of takes over.
    #[inline(never)]
    fn fold_takes(&self) -> Crossing {
        let batch = self.batch();
        let before = self.shared.fetch_sub(batch, Relaxed);
        let below = before.wrapping_sub(batch) <= self.low;
        // A refill that found nothing to spare is tried again. In any case somebody
        // looks when it surely is low, and not long before that.
        Crossing::passed(below && (self.grows || before >= self.floor))
    }

    /// Counts a give. Context: any.
    #[inline(always)]
    pub(super) fn give(&self, cpu: &CurrentCpu) -> Crossing {
        match self.counts(cpu) {
            Some(counts) if self.begins_batch(&counts.gives) => self.fold_gives(),
            _ => Crossing::Within,
        }
    }

    /// Carries a batch of gives over.
    #[inline(never)]
    fn fold_gives(&self) -> Crossing {
        let batch = self.batch();
        let before = self.shared.fetch_add(batch, Relaxed);
        Crossing::passed(self.grows && before.wrapping_add(batch) > self.high)
    }

    /// Counts a take that found nothing. Context: any.
    pub(super) fn miss(&self, counts: &CpuCounts) -> Crossing {
        counts.misses.add_here(1);
        Crossing::passed(self.grows)
    }

    /// Counts pages that came or went otherwise. Context: any.
    pub(super) fn add(&self, pages: i64) {
        self.added.add(pages, Relaxed);
        self.shared.add(pages, Relaxed);
    }

    fn sum(&self, what: impl Fn(&CpuCounts) -> &InlineAtomic) -> u64 {
        self.per_cpu
            .iter()
            .fold(0, |sum, counts| sum.wrapping_add(what(counts).load()))
    }

    /// Free pages; exact while nobody takes or gives. O(CPUs). Context: any.
    pub(crate) fn free(&self) -> u32 {
        // CAST: differences of counters, which wrap together.
        let came = self.gives().wrapping_sub(self.takes()) as i64;
        let free = self.added.load(Relaxed).wrapping_add(came);
        u32::try_from(free).unwrap_or(0)
    }

    /// Pages ever taken. O(CPUs). Context: any.
    pub(crate) fn takes(&self) -> u64 {
        self.sum(|counts| &counts.takes)
    }

    /// Pages ever given back. O(CPUs). Context: any.
    pub(crate) fn gives(&self) -> u64 {
        self.sum(|counts| &counts.gives)
    }

    /// Takes that found nothing. O(CPUs). Context: any.
    pub(crate) fn misses(&self) -> u64 {
        self.sum(|counts| &counts.misses)
    }

    /// Pages that are out. O(CPUs). Context: any.
    pub(crate) fn out(&self) -> u32 {
        // A give may be counted before its take is.
        let out = self.takes().saturating_sub(self.gives());
        u32::try_from(out).unwrap_or(u32::MAX)
    }
}
