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

/// Where the rooms are, behind the words above them.
fn first_room(pages: u32) -> usize {
    match pages {
        0..=64 => 0,
        65..=4096 => 1,
        4097..=262_144 => 1 + 64,
        _ => 1 + 64 + 4096,
    }
}

/// Calls `look` with each word but the top, its number and its bit in the word above it.
fn each_below(words: &[impl Word], pages: u32, mut look: impl FnMut(usize, u64, bool)) {
    let rooms = (pages as usize).div_ceil(64);
    assert_eq!(first_room(pages) + rooms, words.len(), "words of all levels");
    for (number, word) in words.iter().enumerate().skip(1) {
        let (above, bit) = ((number - 1) / 64, (number - 1) % 64);
        let bit = (words[above].load() >> bit) & 1 != 0;
        look(number, word.load(), bit);
    }
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
