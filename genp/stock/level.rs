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

use super::Mark;
use crate::genp::{
    core::stock::Marks,
    sys::{
        atomic::KernelWord,
        cpu::{self, Here},
    },
};

/// The most that a CPU carries over at once, a power of two.
const MAX_BATCH: u32 = 32;

/// What happened on one CPU, in interrupts and NMIs as well. Written there alone.
#[repr(align(64))]
pub(super) struct Tally {
    takes: KernelWord,
    gives: KernelWord,
    misses: KernelWord,
    /// The slot that was last taken there.
    last: KernelWord,
}

impl Tally {
    /// The slot that was last taken on this CPU, or so.
    #[inline(always)]
    pub(super) fn last(&self) -> u32 {
        // CAST: a slot.
        self.last.load() as u32
    }
}

/// The level of a stock.
pub(crate) struct Level {
    tallies: KVVec<Tally>,
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

impl Level {
    /// The level of an empty stock. Context: thread, may sleep.
    pub(super) fn new(marks: &Marks) -> Result<Self> {
        let cpus = cpu::count();
        let mut tallies = KVVec::with_capacity(cpus as usize, GFP_KERNEL)?;
        for cpu in 0..cpus {
            let tally = Tally {
                takes: KernelWord::new(0),
                gives: KernelWord::new(0),
                misses: KernelWord::new(0),
                last: KernelWord::new(u64::from(marks.limit()) * u64::from(cpu) / u64::from(cpus)),
            };
            tallies.push(tally, GFP_KERNEL)?;
        }
        // What all CPUs together keep for themselves is at most half of `low`.
        let share = (marks.low() / cpus.saturating_mul(2).max(1)).clamp(1, MAX_BATCH);
        let batch = 1u32 << share.checked_ilog2().unwrap_or(0);
        let unseen = i64::from(batch.saturating_sub(1)).saturating_mul(cpus.into());
        Ok(Self {
            tallies,
            added: Atomic::new(0),
            shared: Atomic::new(0),
            batch: batch.wrapping_sub(1).into(),
            low: i64::from(marks.low()).saturating_add(unseen),
            floor: i64::from(marks.low()).saturating_sub(unseen),
            high: i64::from(marks.pages()).saturating_sub(unseen),
            grows: marks.grows(),
        })
    }

    /// What is kept on this CPU; there is something for each.
    #[inline(always)]
    pub(super) fn tally(&self, here: &Here) -> Option<&Tally> {
        self.tallies.get(here.cpu() as usize)
    }

    /// Counts one more; true if that begins a batch.
    #[inline(always)]
    fn counts(&self, counter: &KernelWord) -> bool {
        counter.add_here(1) & self.batch == 0
    }

    fn batch(&self) -> i64 {
        // CAST: a small number.
        self.batch.wrapping_add(1) as i64
    }

    /// Counts a take of this slot. Context: any.
    #[inline(always)]
    pub(super) fn take(&self, tally: &Tally, slot: u32) -> Mark {
        tally.last.store(slot.into());
        match self.counts(&tally.takes) {
            true => self.carry_takes(),
            false => Mark::Fine,
        }
    }

    /// Carries a batch of takes over.
    #[inline(never)]
    fn carry_takes(&self) -> Mark {
        let batch = self.batch();
        let before = self.shared.fetch_sub(batch, Relaxed);
        let below = before.wrapping_sub(batch) <= self.low;
        // A refill that found nothing to spare is tried again. In any case somebody
        // looks when it surely is low, and not long before that.
        Mark::passed(below && (self.grows || before >= self.floor))
    }

    /// Counts a give. Context: any.
    #[inline(always)]
    pub(super) fn give(&self, here: &Here) -> Mark {
        match self.tally(here) {
            Some(tally) if self.counts(&tally.gives) => self.carry_gives(),
            _ => Mark::Fine,
        }
    }

    /// Carries a batch of gives over.
    #[inline(never)]
    fn carry_gives(&self) -> Mark {
        let batch = self.batch();
        let before = self.shared.fetch_add(batch, Relaxed);
        Mark::passed(self.grows && before.wrapping_add(batch) > self.high)
    }

    /// Counts a take that found nothing. Context: any.
    pub(super) fn miss(&self, tally: &Tally) -> Mark {
        tally.misses.add_here(1);
        Mark::passed(self.grows)
    }

    /// Counts pages that came or went otherwise. Context: any.
    pub(super) fn add(&self, pages: i64) {
        self.added.add(pages, Relaxed);
        self.shared.add(pages, Relaxed);
    }

    fn sum(&self, what: impl Fn(&Tally) -> &KernelWord) -> u64 {
        self.tallies
            .iter()
            .fold(0, |sum, tally| sum.wrapping_add(what(tally).load()))
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
        self.sum(|tally| &tally.takes)
    }

    /// Pages ever given back. O(CPUs). Context: any.
    pub(crate) fn gives(&self) -> u64 {
        self.sum(|tally| &tally.gives)
    }

    /// Takes that found nothing. O(CPUs). Context: any.
    pub(crate) fn misses(&self) -> u64 {
        self.sum(|tally| &tally.misses)
    }

    /// Pages that are out. O(CPUs). Context: any.
    pub(crate) fn out(&self) -> u32 {
        // A give may be counted before its take is.
        let out = self.takes().saturating_sub(self.gives());
        u32::try_from(out).unwrap_or(u32::MAX)
    }
}
