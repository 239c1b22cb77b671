// SPDX-License-Identifier: GPL-2.0

//! A histogram of durations, in classes of powers of two.

/// Number of classes. The last one counts everything above as well.
pub const BUCKETS: usize = 40;

/// Counts of durations by class, and the longest duration seen.
#[derive(Clone, Copy, Debug)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    longest: u64,
}

impl Histogram {
    /// An empty histogram.
    pub const fn new() -> Self {
        Self {
            counts: [0; BUCKETS],
            longest: 0,
        }
    }

    /// Counts one duration, in nanoseconds. Counts saturate. O(1).
    pub fn record(&mut self, ns: u64) {
        let class = ns.checked_ilog2().unwrap_or(0) as usize;
        if let Some(count) = self.counts.get_mut(class.min(BUCKETS - 1)) {
            *count = count.saturating_add(1);
        }
        self.longest = self.longest.max(ns);
    }

    /// The counts: `[0]` of durations below 2 ns, `[k]` of those from `1 << k` ns to
    /// below `2 << k` ns.
    pub fn counts(&self) -> &[u64; BUCKETS] {
        &self.counts
    }

    /// The longest duration since [`Self::reset_longest`], in nanoseconds.
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// Resets the longest duration to 0.
    pub fn reset_longest(&mut self) {
        self.longest = 0;
    }

    /// Resets all counts to 0.
    pub fn reset_counts(&mut self) {
        self.counts = [0; BUCKETS];
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}
