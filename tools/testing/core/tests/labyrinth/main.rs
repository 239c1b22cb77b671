// SPDX-License-Identifier: GPL-2.0

//! The labyrinth alone, interrupted by itself, with others at the same time, and in
//! every order of accesses there can be.

mod alone;
mod interleavings;
mod interrupted;
mod threads;

use std::{
    collections::BTreeSet,
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use genp_core_tests::algorithms::labyrinth::{words, Labyrinth, Word};

/// A word of the host.
#[derive(Debug, Default)]
struct HostWord(AtomicU64);

impl Word for HostWord {
    fn load(&self) -> u64 {
        self.0.load(SeqCst)
    }

    fn set(&self, bit: u32) -> bool {
        self.0.fetch_or(1 << bit, SeqCst) & (1 << bit) != 0
    }

    fn clear(&self, bit: u32) -> bool {
        self.0.fetch_and(!(1 << bit), SeqCst) & (1 << bit) != 0
    }

    fn observe(&self) -> u64 {
        self.0.fetch_add(0, SeqCst)
    }
}

/// A table of empty words.
fn table<W: Word + Default>(pages: u32) -> Vec<W> {
    (0..words(pages).unwrap()).map(|_| W::default()).collect()
}

/// Calls `look` with each word, the word above it, and its bit there.
fn each_below(words: &[impl Word], pages: u32, mut look: impl FnMut(usize, u64, bool)) {
    let (mut first, mut count) = (0, (pages as usize).div_ceil(64));
    while count > 1 {
        let above = first + count;
        for index in 0..count {
            let summary = words[above + index / 64].load();
            let bit = (summary >> (index % 64)) & 1 != 0;
            look(first + index, words[first + index].load(), bit);
        }
        (first, count) = (above, count.div_ceil(64));
    }
    assert_eq!(first + count, words.len(), "words of all levels");
}

/// What holds when nobody is at work and nobody ever got in another's way: a bit is
/// set exactly if the word it stands for is not empty.
fn is_exact(words: &[impl Word], pages: u32) -> bool {
    let mut exact = true;
    each_below(words, pages, |_, word, bit| exact &= bit == (word != 0));
    exact
}

/// What holds when nobody is at work: there is a way to each word with something
/// in it.
fn is_open(words: &[impl Word], pages: u32) -> bool {
    let mut open = true;
    each_below(words, pages, |_, word, bit| open &= bit || word == 0);
    open
}

/// Takes until there is nothing left.
fn drain<T, W>(labyrinth: &Labyrinth<T>) -> BTreeSet<u32>
where
    T: Deref<Target = [W]>,
    W: Word,
{
    let mut pages = BTreeSet::new();
    while let Some(page) = labyrinth.take(0) {
        assert!(pages.insert(page), "page {page} twice");
    }
    pages
}
