// SPDX-License-Identifier: GPL-2.0

//! Times in classes of powers of two.

/// Classes: the last one counts everything above.
pub const BUCKETS: usize = 40;

/// How often something took how long.
#[derive(Clone, Copy, Debug)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    longest: u64,
}

impl Histogram {
    /// An empty one.
    pub const fn new() -> Self {
        Self {
            counts: [0; BUCKETS],
            longest: 0,
        }
    }

    /// Notes one time. O(1).
    pub fn record(&mut self, ns: u64) {
        let class = ns.checked_ilog2().unwrap_or(0) as usize;
        if let Some(count) = self.counts.get_mut(class.min(BUCKETS - 1)) {
            *count = count.saturating_add(1);
        }
        self.longest = self.longest.max(ns);
    }

    /// `[0]` counts times below 2 ns, `[k]` those from 1 << k ns on.
    pub fn counts(&self) -> &[u64; BUCKETS] {
        &self.counts
    }

    /// The longest time since the last reset.
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// Forgets the longest time.
    pub fn reset_longest(&mut self) {
        self.longest = 0;
    }

    /// Forgets the counts.
    pub fn reset_counts(&mut self) {
        self.counts = [0; BUCKETS];
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}
