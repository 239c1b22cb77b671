// SPDX-License-Identifier: GPL-2.0

//! Leases that were written to until after their end, which on User Mode Linux reaches the
//! frames when these are zeroed and free already: a program that runs keeps what it had
//! mapped until it next enters the kernel.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use harness::memory::Pattern;

/// Late writes that are known at a time, the last ones.
const KNOWN: usize = 4096;

/// The late writes of all cases: what one left behind may be found in a later case, as long
/// as nobody else had the frame. Handles are not used again. Zeroes are a valid state.
pub struct LateWrites {
    count: AtomicU32,
    /// How often [`Self::left`] found a word of one.
    found: AtomicU64,
    owners: [AtomicU64; KNOWN],
    words: [AtomicU64; KNOWN],
}

impl LateWrites {
    /// Notes that the pattern of this owner was written, of so many words, and that the
    /// lease may have ended before the last of them.
    pub fn note(&self, owner: u64, words: u64) {
        let at = self.count.load(SeqCst) as usize % KNOWN;
        self.owners[at].store(owner, SeqCst);
        self.words[at].store(words, SeqCst);
        self.count.fetch_add(1, SeqCst);
    }

    /// Whether a late write may have left this word behind.
    pub fn left(&self, word: u64) -> bool {
        let known = (self.count.load(SeqCst) as usize).min(KNOWN);
        self.owners[..known]
            .iter()
            .zip(&self.words)
            .any(|(owner, words)| Pattern::of(owner.load(SeqCst)).has(word, words.load(SeqCst)))
            .then(|| self.found.fetch_add(1, SeqCst))
            .is_some()
    }

    /// How often a word of one was found.
    pub fn found(&self) -> u64 {
        self.found.load(SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> LateWrites {
        LateWrites {
            count: AtomicU32::new(0),
            found: AtomicU64::new(0),
            owners: [const { AtomicU64::new(0) }; KNOWN],
            words: [const { AtomicU64::new(0) }; KNOWN],
        }
    }

    /// The last word of an owner's pattern of `words` words.
    fn last(owner: u64, words: usize) -> u64 {
        let mut room = vec![0u64; words];
        assert!(Pattern::of(owner).write(room.as_mut_ptr() as usize, words));
        room[words - 1]
    }

    #[test]
    fn only_words_of_late_writes_are_excused() {
        let late = none();
        assert!(!late.left(last(5, 512)));
        late.note(5, 512);
        assert!(late.left(last(5, 512)));
        assert!(!late.left(last(5, 513)), "it wrote fewer words");
        assert!(!late.left(last(6, 512)), "somebody else's");
        assert!(!late.left(0));
        assert_eq!(late.found(), 1);
    }

    #[test]
    fn the_last_ones_are_known() {
        let late = none();
        for owner in 0..KNOWN as u64 + 1 {
            late.note(owner, 8);
        }
        assert!(!late.left(last(0, 8)));
        assert!(late.left(last(1, 8)));
        assert!(late.left(last(KNOWN as u64, 8)));
    }
}
