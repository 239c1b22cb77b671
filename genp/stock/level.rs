// SPDX-License-Identifier: GPL-2.0

//! How many pages of a stock are free, counted without a counter that all CPUs write.
//!
//! Each CPU counts in a cache line of its own and carries over to the shared counter
//! when it has counted a batch. The sum of all is exact while nobody takes or gives.

use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
};

use super::{
    super::{
        core::stock::Marks,
        sys::cpu::{self, Stay},
    },
    Mark,
};

/// The most that a CPU counts for itself.
const MAX_BATCH: u32 = 32;

/// What happened on one CPU. Written by it alone, interrupts and NMIs included, so
/// every access is a single instruction; relaxed, for they order nothing.
#[repr(align(64))]
struct Tally {
    /// Pages given less pages taken, since it was carried over.
    balance: Atomic<i32>,
    takes: Atomic<u64>,
    gives: Atomic<u64>,
    misses: Atomic<u64>,
}

/// The level of a stock.
pub(crate) struct Level {
    tallies: KVVec<Tally>,
    /// Free pages, but for what CPUs have not carried over yet.
    shared: Atomic<i32>,
    batch: i32,
    /// At this or below it is time to look whether to refill, at `high` or above
    /// whether to drain.
    low: i32,
    high: i32,
}

/// CAST: pages are far fewer than 2^31, by the limit of the labyrinth.
fn signed(pages: u32) -> i32 {
    i32::try_from(pages).unwrap_or(i32::MAX)
}

impl Level {
    /// The level of an empty stock. Context: thread, may sleep.
    pub(super) fn new(marks: &Marks) -> Result<Self> {
        let cpus = cpu::count();
        let mut tallies = KVVec::with_capacity(cpus as usize, GFP_KERNEL)?;
        for _ in 0..cpus {
            let tally = Tally {
                balance: Atomic::new(0),
                takes: Atomic::new(0),
                gives: Atomic::new(0),
                misses: Atomic::new(0),
            };
            tallies.push(tally, GFP_KERNEL)?;
        }
        // What all CPUs together keep for themselves is at most half of `low`.
        let batch = (marks.low() / cpus.saturating_mul(2).max(1)).clamp(1, MAX_BATCH);
        let unseen = batch.saturating_sub(1).saturating_mul(cpus);
        Ok(Self {
            tallies,
            shared: Atomic::new(0),
            batch: signed(batch),
            low: signed(marks.low().saturating_add(unseen)),
            high: signed(marks.pages().saturating_sub(unseen)),
        })
    }

    fn tally(&self, stay: &Stay) -> Option<&Tally> {
        self.tallies.get(stay.cpu() as usize)
    }

    /// Counts one page on this CPU, carries over if it is time.
    fn count(&self, tally: &Tally, one: i32) -> Mark {
        let balance = tally.balance.fetch_add(one, Relaxed).wrapping_add(one);
        if balance.wrapping_abs() < self.batch {
            return Mark::Fine;
        }
        // What an interrupt counts in between is carried over with the rest.
        let balance = tally.balance.xchg(0, Relaxed);
        let level = self
            .shared
            .fetch_add(balance, Relaxed)
            .wrapping_add(balance);
        match one < 0 && level <= self.low || one > 0 && level > self.high {
            true => Mark::Passed,
            false => Mark::Fine,
        }
    }

    /// Counts a take. Context: any.
    pub(super) fn take(&self, stay: &Stay) -> Mark {
        let Some(tally) = self.tally(stay) else {
            return Mark::Fine;
        };
        tally.takes.add(1, Relaxed);
        self.count(tally, -1)
    }

    /// Counts a give. Context: any.
    pub(super) fn give(&self, stay: &Stay) -> Mark {
        let Some(tally) = self.tally(stay) else {
            return Mark::Fine;
        };
        tally.gives.add(1, Relaxed);
        self.count(tally, 1)
    }

    /// Counts a take that found nothing. Context: any.
    pub(super) fn miss(&self, stay: &Stay) {
        if let Some(tally) = self.tally(stay) {
            tally.misses.add(1, Relaxed);
        }
    }

    /// Counts pages that came or went otherwise. Context: any.
    pub(super) fn add(&self, pages: i32) {
        self.shared.add(pages, Relaxed);
    }

    fn sum(&self, what: impl Fn(&Tally) -> u64) -> u64 {
        self.tallies
            .iter()
            .fold(0, |sum, tally| sum.wrapping_add(what(tally)))
    }

    /// Free pages; exact while nobody takes or gives. O(CPUs). Context: any.
    pub(crate) fn free(&self) -> u32 {
        let own = |tally: &Tally| tally.balance.load(Relaxed);
        let balance = self.tallies.iter().map(own).fold(0, i32::wrapping_add);
        let free = self.shared.load(Relaxed).wrapping_add(balance);
        u32::try_from(free).unwrap_or(0)
    }

    /// Pages ever taken. O(CPUs). Context: any.
    pub(crate) fn takes(&self) -> u64 {
        self.sum(|tally| tally.takes.load(Relaxed))
    }

    /// Pages ever given back. O(CPUs). Context: any.
    pub(crate) fn gives(&self) -> u64 {
        self.sum(|tally| tally.gives.load(Relaxed))
    }

    /// Takes that found nothing. O(CPUs). Context: any.
    pub(crate) fn misses(&self) -> u64 {
        self.sum(|tally| tally.misses.load(Relaxed))
    }

    /// Pages that are out. O(CPUs). Context: any.
    pub(crate) fn out(&self) -> u32 {
        // A give that is counted before its take is counted makes it less than 0.
        let out = self.takes().saturating_sub(self.gives());
        u32::try_from(out).unwrap_or(u32::MAX)
    }
}
