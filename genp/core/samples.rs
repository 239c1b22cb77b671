// SPDX-License-Identifier: GPL-2.0

//! Samples of a time that others may have disturbed: by an interrupt, by a hypervisor, by
//! threads that are more urgent.

use super::count::Count;

/// What took more than so many times what the least disturbed ones did was disturbed.
pub const PLAUSIBLE: u64 = 4;

/// Up to `N` samples of one kind.
pub struct Samples<const N: usize> {
    taken: [u64; N],
    count: usize,
}

impl<const N: usize> Samples<N> {
    /// None yet.
    pub const EMPTY: Self = Self {
        taken: [0; N],
        count: 0,
    };

    /// Adds one, if there is room. O(1).
    pub fn add(&mut self, sample: u64) {
        if let Some(entry) = self.taken.get_mut(self.count) {
            *entry = sample;
            self.count.raise(1);
        }
    }

    /// How many there are. O(1).
    pub fn count(&self) -> usize {
        self.count
    }

    /// Those of at most so much.
    fn up_to(&self, most: u64) -> impl Iterator<Item = u64> + '_ {
        let all = self.taken.get(..self.count).unwrap_or(&[]);
        all.iter().copied().filter(move |&sample| sample <= most)
    }

    /// Of those of at most so much the largest that no more than half of them are below.
    fn median_up_to(&self, most: u64) -> u64 {
        let half = self.up_to(most).fold(0usize, |sum, _| sum.plus(1)) / 2;
        let below = |sample: u64| {
            self.up_to(most)
                .fold(0usize, |sum, other| sum.plus(usize::from(other < sample)))
        };
        self.up_to(most)
            .filter(|&sample| below(sample) <= half)
            .max()
            .unwrap_or(0)
    }

    /// The one in the middle; 0 if there are none. What disturbed less than half of them does
    /// not count. Quadratic in the samples.
    pub fn median(&self) -> u64 {
        self.median_up_to(u64::MAX)
    }

    /// The median of those that are at most [`PLAUSIBLE`] times the least; 0 if there are
    /// none. One that was not disturbed is enough. Quadratic in the samples.
    pub fn typical(&self) -> u64 {
        let least = self.up_to(u64::MAX).min().unwrap_or(0);
        self.median_up_to(least.saturating_mul(PLAUSIBLE))
    }

    /// The largest one that is at most [`PLAUSIBLE`] times the median; 0 if there are none.
    /// Quadratic in the samples.
    pub fn worst_plausible(&self) -> u64 {
        let most = self.median().saturating_mul(PLAUSIBLE);
        self.up_to(most).max().unwrap_or(0)
    }
}
