// SPDX-License-Identifier: GPL-2.0

//! How urgent the most urgent waiting request is, whichever queue it is in: the priority at
//! which leases are to be ended for it.

/// The priorities of real-time tasks, 0 the most urgent, and one for all others.
const LEVELS: usize = 100;
const BITS: usize = u64::BITS as usize;

/// How many requests wait at each priority.
#[derive(Clone, Copy, Debug)]
pub(super) struct Urgency {
    counts: [u16; LEVELS],
    /// The priorities at which any wait, one bit each.
    levels: [u64; LEVELS.div_ceil(BITS)],
}

impl Urgency {
    pub(super) const NONE: Self = Self {
        counts: [0; LEVELS],
        levels: [0; LEVELS.div_ceil(BITS)],
    };

    /// Changes the count at a priority of the kernel's: below 0 are deadline tasks, from 99
    /// on all that are not real-time. O(1).
    fn change(&mut self, prio: i32, by: impl FnOnce(u16) -> u16) {
        // CAST: 0 to 99.
        let level = prio.clamp(0, 99) as usize;
        let (count, word) = (
            self.counts.get_mut(level),
            self.levels.get_mut(level / BITS),
        );
        if let (Some(count), Some(word)) = (count, word) {
            *count = by(*count);
            let bit = 1u64.wrapping_shl((level % BITS) as u32);
            *word = match *count {
                0 => *word & !bit,
                _ => *word | bit,
            };
        }
    }

    /// Counts a request that waits. O(1).
    pub(super) fn add(&mut self, prio: i32) {
        self.change(prio, |count| count.saturating_add(1));
    }

    /// Counts one less. O(1).
    pub(super) fn remove(&mut self, prio: i32) {
        self.change(prio, |count| count.saturating_sub(1));
    }

    /// The most urgent priority at which any waits: 0 to 98, 99 for one that is not
    /// real-time. O(1).
    pub(super) fn most_urgent(&self) -> Option<i32> {
        let [first, second] = self.levels;
        match (first, second) {
            (0, 0) => None,
            // CAST: at most 63 each.
            (0, word) => Some(64i32.saturating_add(word.trailing_zeros() as i32)),
            (word, _) => Some(word.trailing_zeros() as i32),
        }
    }
}
