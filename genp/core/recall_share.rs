// SPDX-License-Identifier: GPL-2.0

//! The work of the recall thread as a resource: how much of it a partition may cause.
//!
//! The administrator allows the recall thread and the notify thread a share of one
//! processor. It is divided evenly among all partitions that there can be, so the sum of
//! what they may cause never exceeds it. What a partition causes is counted in advance, in
//! nanoseconds at stated costs ([`lease_work`], [`WAKE_NS`]), by a virtual clock that runs
//! at the pace of its part (the "generic cell rate algorithm", ITU-T I.371): a request is
//! refused while that clock is further ahead than [`RecallShare::window_ns`].

/// The work of recalling a lease, ending it by force and telling of both, without its
/// pages.
pub const END_NS: u64 = 10_000;

/// The work of unmapping one page once.
pub const PAGE_NS: u64 = 200;

/// The work of a wake-up of the recall thread or the notify thread before its time, or of one
/// by the recall thread's timer that finds nothing to do.
pub const WAKE_NS: u64 = 2_000;

/// A partition with fewer leases is treated as if it had this many.
const FEWEST_LEASES: u32 = 16;

/// What ending a lease of `pages` pages costs, if its window is mapped `mappings` times.
/// O(1).
pub fn lease_work(pages: u32, mappings: u32) -> u64 {
    let unmapped = u64::from(pages).saturating_mul(mappings.max(1).into());
    PAGE_NS.saturating_mul(unmapped).saturating_add(END_NS)
}

/// What all leases of a partition cost once, if its window is mapped once. O(1).
pub fn all_leases_work(max_leases: u32, limit: u32) -> u64 {
    let ends = END_NS.saturating_mul(max_leases.max(FEWEST_LEASES).into());
    ends.saturating_add(PAGE_NS.saturating_mul(limit.into()))
}

/// The share of a processor that ending leases may take, and how many share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecallShare {
    /// Per cent of one processor; 0 for any amount.
    pub percent: u32,
    /// Partitions there can be.
    pub partitions: u32,
}

impl RecallShare {
    /// Any amount of work, for tests.
    pub const UNLIMITED: Self = Self {
        percent: 0,
        partitions: 0,
    };

    /// The nanoseconds of work that one partition may cause in a second. O(1).
    pub fn work_per_second(&self) -> u64 {
        let all = u64::from(self.percent).saturating_mul(10_000_000);
        all.checked_div(self.partitions.into()).unwrap_or(0)
    }

    /// The time in which one partition may cause `work`. O(1).
    pub fn time_for(&self, work: u64) -> u64 {
        let parts = u64::from(self.partitions).saturating_mul(100);
        work.saturating_mul(parts)
            .checked_div(self.percent.into())
            .unwrap_or(0)
    }

    /// How far ahead of time a partition with these limits may be: by all of its leases,
    /// twice. O(1).
    pub fn window_ns(&self, max_leases: u32, limit: u32) -> u64 {
        self.time_for(all_leases_work(max_leases, limit).saturating_mul(2))
    }

    /// The work that such a partition may cause beyond its part, in any interval of time.
    /// O(1).
    ///
    /// It is at most a window ahead when a request is accepted, which is for all of its
    /// leases at most; and what was charged for leases that run at the beginning of the
    /// interval may be given back in it. What is charged for a timer that was set in vain is
    /// less than what is given back for the lease it was set for.
    pub fn burst_ns(max_leases: u32, limit: u32) -> u64 {
        all_leases_work(max_leases, limit).saturating_mul(4)
    }
}

/// How far a partition is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When all that was caused so far is within its part.
    even_at: u64,
}

impl Pace {
    /// Nothing was caused yet.
    pub const RESTED: Self = Self { even_at: 0 };

    /// Whether it is at most `window` nanoseconds ahead. O(1).
    pub fn allows(&self, now: u64, window: u64) -> bool {
        self.even_at.saturating_sub(now) <= window
    }

    /// When it is even. O(1).
    pub fn even_at(&self) -> u64 {
        self.even_at
    }

    /// Charges for what takes `time` nanoseconds at its pace. O(1).
    pub fn charge(&mut self, now: u64, time: u64) {
        self.even_at = self.even_at.max(now).saturating_add(time);
    }

    /// Gives back what was charged for a lease that caused nothing. O(1).
    pub fn refund(&mut self, time: u64) {
        self.even_at = self.even_at.saturating_sub(time);
    }
}
