// SPDX-License-Identifier: GPL-2.0

//! R derived: the longest time from the deadline of a lease to its frames being free, from
//! the sizes of the tables and the unit costs of the machine.
//!
//! It holds before anything has happened. What is proven of it and what is assumed is in
//! `Documentation/wait-bound.rst`; the names of the assumptions here are those there.

use super::recall_share::{END_NS, PAGE_NS, WAKE_NS};

/// The most mappings of a lease window.
pub const MAX_MAPPINGS: u32 = 16;

/// The most pages that are zeroed under one hold of a window's lock.
pub const FILL_BATCH: u32 = 32;

/// Pages that the scrub thread zeroes under its lock, for which a filler may wait.
pub const SCRUB_BATCH: u32 = 4;

/// Raw locks that are taken to recall a lease, end it by force and tell of both, or for a
/// piece of it.
pub const LOCKS_AN_END: u32 = 16;

/// The most pages that are mapped or unmapped under one hold of a window's lock, counted
/// once for each mapping.
pub const PIECE: u32 = 512;

/// Leases that the recall thread announces or hands over without a pause, and how long the
/// pause is.
pub const MOST_AT_ONCE: u32 = 16;
/// See [`MOST_AT_ONCE`].
pub const PAUSE_NS: u64 = 50_000;

/// At least the number of steps that serve all waiters: each is moved once and resolved
/// once, and an account may be listed as ready and turn out to have nothing to serve. O(1).
pub fn serves(waiters: u32, partitions: u32) -> u32 {
    waiters.saturating_mul(2).saturating_add(partitions)
}

/// What one step costs, in nanoseconds, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitCosts {
    /// From the recall thread's timer, or from a wake-up, to the thread that was woken; or
    /// how long one gives the revoking thread its priority.
    pub latency_ns: u64,
    /// Recalling a lease, ending it by force and telling of both, without its pages, in
    /// one mapping.
    pub end_ns: u64,
    /// Mapping or unmapping one page once, whichever takes longer.
    pub page_ns: u64,
    /// Zeroing one page.
    pub zero_ns: u64,
    /// One step in serving the waiters, which wakes one of them at most.
    pub serve_ns: u64,
    /// How long another processor holds a raw lock, or has interrupts off.
    pub section_ns: u64,
}

impl UnitCosts {
    /// The stated costs. Those of a machine are not less: what was measured at one time
    /// is no promise that it is never slower.
    pub const STATED: Self = Self {
        latency_ns: 100_000,
        end_ns: END_NS,
        page_ns: PAGE_NS,
        zero_ns: 1_000,
        serve_ns: WAKE_NS,
        section_ns: WAKE_NS,
    };

    /// No cost of any step, for costs that are not known.
    pub const NONE: Self = Self {
        latency_ns: 0,
        end_ns: 0,
        page_ns: 0,
        zero_ns: 0,
        serve_ns: 0,
        section_ns: 0,
    };

    /// These costs as far as they are known, and `other` where they are 0. O(1).
    pub fn or(&self, other: &Self) -> Self {
        let either = |cost, other| match cost {
            0 => other,
            cost => cost,
        };
        Self {
            latency_ns: either(self.latency_ns, other.latency_ns),
            end_ns: either(self.end_ns, other.end_ns),
            page_ns: either(self.page_ns, other.page_ns),
            zero_ns: either(self.zero_ns, other.zero_ns),
            serve_ns: either(self.serve_ns, other.serve_ns),
            section_ns: either(self.section_ns, other.section_ns),
        }
    }

    /// The larger cost of each step. O(1).
    pub fn max(&self, other: &Self) -> Self {
        Self {
            latency_ns: self.latency_ns.max(other.latency_ns),
            end_ns: self.end_ns.max(other.end_ns),
            page_ns: self.page_ns.max(other.page_ns),
            zero_ns: self.zero_ns.max(other.zero_ns),
            serve_ns: self.serve_ns.max(other.serve_ns),
            section_ns: self.section_ns.max(other.section_ns),
        }
    }
}

/// How much there can be of what R depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecallLoad {
    /// Leases of the pool.
    pub leases: u32,
    /// Pages that can be on lease, all together.
    pub pages: u32,
    /// Pages that are mapped or unmapped under one hold of a window's lock, counted once for
    /// each mapping.
    pub piece: u32,
    /// Mappings of a lease window.
    pub mappings: u32,
    /// Waiting requests.
    pub waiters: u32,
    /// Partitions.
    pub partitions: u32,
    /// Processors.
    pub processors: u32,
}

/// The longest time of each part of a recall, in nanoseconds; the sum is R.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecallBound {
    /// Until the recall thread runs, the revoking thread runs, and that has its priority;
    /// and the pauses of the recall thread.
    pub latency_ns: u64,
    /// Recalling and ending all leases, without their pages.
    pub ends_ns: u64,
    /// Unmapping all pages.
    pub pages_ns: u64,
    /// Waiting for the holders of the windows' locks, and of their mappings'.
    pub holders_ns: u64,
    /// Serving the waiters in between.
    pub serving_ns: u64,
}

impl RecallLoad {
    /// As [`serves`]. O(1).
    pub fn serves(&self) -> u32 {
        serves(self.waiters, self.partitions)
    }

    /// How long a raw lock is waited for: each other processor may hold it once before. O(1).
    fn contention_ns(&self, costs: &UnitCosts) -> u64 {
        let others = u64::from(self.processors.saturating_sub(1));
        others.saturating_mul(costs.section_ns)
    }

    /// Ending one lease of no pages, or holding the lock of its window for that. O(1).
    fn end_ns(&self, costs: &UnitCosts) -> u64 {
        let waits = self
            .contention_ns(costs)
            .saturating_mul(LOCKS_AN_END.into());
        let mappings = u64::from(self.mappings.max(1));
        costs.end_ns.saturating_mul(mappings).saturating_add(waits)
    }

    /// Mapping or unmapping `pages` pages in every mapping. O(1).
    fn pages_ns(&self, costs: &UnitCosts, pages: u64) -> u64 {
        let mappings = u64::from(self.mappings.max(1));
        pages.saturating_mul(mappings).saturating_mul(costs.page_ns)
    }

    /// In how many pieces all leases end: whole ones, and the last one of each lease, which
    /// may be short. O(1).
    pub fn pieces(&self) -> u64 {
        let mappings = self.mappings.max(1);
        let whole = self.piece.checked_div(mappings).unwrap_or(0).max(1);
        let pieces = self.pages.checked_div(whole).unwrap_or(self.pages);
        u64::from(pieces).saturating_add(self.leases.into())
    }

    /// How often the recall thread pauses, if it announces and hands over all leases. O(1).
    pub fn pauses(&self) -> u64 {
        let actions = u64::from(self.leases).saturating_mul(2);
        actions
            .checked_div(MOST_AT_ONCE.into())
            .unwrap_or(actions)
            .saturating_add(1)
    }

    /// The longest recall. O(1), and no more than 64 bits say.
    ///
    /// Of the leases that were granted by the deadline, each is recalled and ended once
    /// before the one in question at most; of those granted later, none: nothing is due
    /// before it was granted.
    pub fn bound(&self, costs: &UnitCosts) -> RecallBound {
        let pieces = self.pieces();
        let end = self.end_ns(costs);
        // The holder of the window's lock fills a batch, ends a lease of no pages, or maps or
        // unmaps a piece; and the lock of the mappings is held by one who makes or drops one,
        // in each.
        let zeroed = FILL_BATCH.saturating_add(SCRUB_BATCH);
        let fill = costs.zero_ns.saturating_mul(zeroed.into());
        let mapper = costs.end_ns.saturating_mul(self.mappings.max(1).into());
        let most = self.piece.max(self.mappings);
        let piece = costs.page_ns.saturating_mul(most.into());
        let holder = fill
            .saturating_add(end)
            .saturating_add(mapper)
            .saturating_add(piece);
        // What was being served at the deadline, and before each piece.
        let serves = u64::from(self.serves());
        let served = serves.saturating_add(1).saturating_mul(pieces);
        let serve = costs.serve_ns.saturating_add(self.contention_ns(costs));
        let pause = PAUSE_NS.saturating_add(costs.latency_ns);
        RecallBound {
            latency_ns: costs
                .latency_ns
                .saturating_mul(3)
                .saturating_add(pause.saturating_mul(self.pauses())),
            ends_ns: end.saturating_mul(pieces),
            pages_ns: self.pages_ns(costs, self.pages.into()),
            holders_ns: holder.saturating_mul(pieces),
            serving_ns: serves.saturating_add(served).saturating_mul(serve),
        }
    }
}

impl RecallBound {
    /// R: from the deadline to free frames. O(1).
    pub fn recall_ns(&self) -> u64 {
        [
            self.ends_ns,
            self.pages_ns,
            self.holders_ns,
            self.serving_ns,
        ]
        .iter()
        .fold(self.latency_ns, |sum, &part| sum.saturating_add(part))
    }

    /// The longest wait of the first waiter until it runs again, if nothing has precedence
    /// over it: the longest term, R, and its own wake-up. O(1).
    pub fn wait_ns(&self, max_lease_ns: u64, costs: &UnitCosts) -> u64 {
        max_lease_ns
            .saturating_add(self.recall_ns())
            .saturating_add(costs.latency_ns)
    }
}

/// The longest wait of the waiter that is `k`-th to be served, if the first one waits for
/// `first_ns` at most. O(1).
pub fn kth_wait_ns(first_ns: u64, k: u32) -> u64 {
    first_ns.saturating_mul(k.into())
}
