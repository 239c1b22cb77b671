// SPDX-License-Identifier: GPL-2.0

//! The number of free pages of a stock, without a counter that all CPUs write each time.
//!
//! Each CPU counts in a cache line of its own; the sum of all is exact while nobody takes
//! or gives. Each time a CPU begins a batch, it folds the whole batch into a shared
//! counter in advance, and that counter is compared with the watermarks.

use kernel::{
    alloc::Flags,
    prelude::*,
    sync::atomic::{Atomic, Full, Relaxed},
};

use super::Crossing;
use crate::genp::{
    core::{count::Count, watermarks::Watermarks},
    sys::{
        atomic::InlineAtomic,
        cpu::{self, CurrentCpu},
        table,
    },
};

/// The most that a CPU folds at once, a power of two.
const MAX_FOLD: u32 = 32;

/// The counts of one CPU, those of its interrupts and NMIs included. Written only there.
#[repr(align(64))]
pub(super) struct CpuCounts {
    takes: InlineAtomic,
    gives: InlineAtomic,
    misses: InlineAtomic,
    /// The slot that was last taken on this CPU, where the next search begins.
    last: InlineAtomic,
}

impl CpuCounts {
    /// The slot at which the next search on this CPU begins: the one it last took.
    #[inline(always)]
    pub(super) fn last(&self) -> u32 {
        // CAST: a slot.
        self.last.load() as u32
    }
}

/// Counts the free pages of a stock.
pub(crate) struct PerCpuCounter {
    per_cpu: KVVec<CpuCounts>,
    /// Pages added to the stock, less those removed; takes and gives do not count here.
    added: Atomic<i64>,
    /// Free pages, but for the parts of batches that were folded in advance.
    shared: Atomic<i64>,
    /// A power of two, less one.
    batch: u64,
    /// At or below this the refill thread checks the stock, and above `high` as well.
    low: i64,
    /// Below this a stock that cannot be refilled has been checked already.
    floor: i64,
    high: i64,
    /// Whether the stock can be refilled.
    grows: bool,
}

impl PerCpuCounter {
    /// The level of an empty stock. Context: thread, may sleep.
    pub(super) fn new(watermarks: &Watermarks, flags: Flags) -> Result<Self> {
        let cpus = cpu::count();
        let counts = (0..cpus).map(|cpu| {
            let before = u64::from(watermarks.limit()).times(cpu.into());
            CpuCounts {
                takes: InlineAtomic::new(0),
                gives: InlineAtomic::new(0),
                misses: InlineAtomic::new(0),
                last: InlineAtomic::new(before / u64::from(cpus.max(1))),
            }
        });
        let per_cpu = table::collect(counts, flags)?;
        // What all CPUs together have not folded is at most half of `low`.
        let share = (watermarks.low() / cpus.saturating_mul(2).max(1)).clamp(1, MAX_FOLD);
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

    /// The counts of this CPU; every possible CPU has some.
    #[inline(always)]
    pub(super) fn counts(&self, cpu: &CurrentCpu) -> Option<&CpuCounts> {
        self.per_cpu.get(cpu.number() as usize)
    }

    /// Counts one; returns whether that begins a batch.
    #[inline(always)]
    fn begins_batch(&self, counter: &InlineAtomic) -> bool {
        counter.add_local(1) & self.batch == 0
    }

    fn batch(&self) -> i64 {
        // CAST: at most `MAX_FOLD`.
        self.batch.wrapping_add(1) as i64
    }

    /// Counts a take of this slot. Context: any.
    #[inline(always)]
    pub(super) fn take(&self, counts: &CpuCounts, slot: u32) -> Crossing {
        counts.last.store(slot.into());
        match self.begins_batch(&counts.takes) {
            true => self.fold_takes(),
            false => Crossing::None,
        }
    }

    /// Folds a batch of takes.
    #[inline(never)]
    fn fold_takes(&self) -> Crossing {
        let batch = self.batch();
        // Full: the take was counted before, and whoever crosses the mark by a later fold has
        // seen that: what it asks the refill thread to sum has this take in it. Pairs with
        // the folds of other CPUs.
        let before = self.shared.fetch_sub(batch, Full);
        let below = before.wrapping_sub(batch) <= self.low;
        // A stock that grows is checked again and again, because a refill may find no
        // free frames. One that does not grow is checked from shortly before it is low
        // until it certainly is.
        Crossing::crossed_if(below && (self.grows || before >= self.floor))
    }

    /// Counts a give. Context: any.
    #[inline(always)]
    pub(super) fn give(&self, cpu: &CurrentCpu) -> Crossing {
        match self.counts(cpu) {
            Some(counts) if self.begins_batch(&counts.gives) => self.fold_gives(),
            _ => Crossing::None,
        }
    }

    /// Folds a batch of gives.
    #[inline(never)]
    fn fold_gives(&self) -> Crossing {
        let batch = self.batch();
        // Full: as in `fold_takes`.
        let before = self.shared.fetch_add(batch, Full);
        Crossing::crossed_if(self.grows && before.wrapping_add(batch) > self.high)
    }

    /// Counts a take that found no page. Context: any.
    pub(super) fn miss(&self, counts: &CpuCounts) -> Crossing {
        counts.misses.add_local(1);
        Crossing::crossed_if(self.grows)
    }

    /// Counts pages that were added or removed. Context: any.
    pub(super) fn add(&self, pages: i64) {
        self.added.add(pages, Relaxed);
        self.shared.add(pages, Relaxed);
    }

    fn sum(&self, what: impl Fn(&CpuCounts) -> &InlineAtomic) -> u64 {
        // loop-bound: processors
        self.per_cpu
            .iter()
            .fold(0, |sum, counts| sum.wrapping_add(what(counts).load()))
    }

    /// The number of free pages; exact while nobody takes or gives. O(CPUs). Context: any.
    pub(crate) fn free(&self) -> u32 {
        // CAST: the difference of two counters, either of which may have wrapped.
        let given = self.gives().wrapping_sub(self.takes()) as i64;
        let free = self.added.load(Relaxed).wrapping_add(given);
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

    /// Takes that found no page. O(CPUs). Context: any.
    pub(crate) fn misses(&self) -> u64 {
        self.sum(|counts| &counts.misses)
    }

    /// The number of pages that are taken now. O(CPUs). Context: any.
    ///
    /// ORDERING: a give counts after the labyrinth's set(), which is fully ordered, and the
    /// sum's loads are acquires: who sees the give sees what was done to the page before. A
    /// take that this does not see has not been told to whoever asks.
    pub(crate) fn out(&self) -> u32 {
        // While others take and give, a give may be summed without its take.
        let out = self.takes().saturating_sub(self.gives());
        u32::try_from(out).unwrap_or(u32::MAX)
    }
}
