// SPDX-License-Identifier: GPL-2.0

//! The words of a labyrinth, seen from outside.

use std::{collections::BTreeSet, ops::Deref};

use genp_core::labyrinth::{words, Labyrinth, Word};

/// A table of empty words.
pub fn table<W: Word + Default>(pages: u32) -> Vec<W> {
    let count = words(pages).expect("not more pages than there can be");
    (0..count).map(|_| W::default()).collect()
}

/// The index of the first leaf, behind the summary words.
pub fn first_leaf(pages: u32) -> usize {
    match pages {
        0..=64 => 0,
        65..=4096 => 1,
        4097..=262_144 => 1 + 64,
        _ => 1 + 64 + 4096,
    }
}

/// Calls `look` with each word but the top, its number and its bit in the word above it.
fn each_below(words: &[impl Word], pages: u32, mut look: impl FnMut(usize, u64, bool)) {
    let leaves = (pages as usize).div_ceil(64);
    assert_eq!(
        first_leaf(pages) + leaves,
        words.len(),
        "words of all levels"
    );
    for (number, word) in words.iter().enumerate().skip(1) {
        let (above, bit) = ((number - 1) / 64, (number - 1) % 64);
        let bit = (words[above].load() >> bit) & 1 != 0;
        look(number, word.load(), bit);
    }
}

/// What holds when no call is under way and none ever disturbed another: a summary bit
/// is set exactly if its word is not empty.
pub fn is_exact(words: &[impl Word], pages: u32) -> bool {
    let mut exact = true;
    each_below(words, pages, |_, word, bit| exact &= bit == (word != 0));
    exact
}

/// What holds when no call is under way: there is a path to each word that is not
/// empty.
pub fn is_open(words: &[impl Word], pages: u32) -> bool {
    let mut open = true;
    each_below(words, pages, |_, word, bit| open &= bit || word == 0);
    open
}

/// Takes until there is nothing left.
pub fn drain<T, W>(labyrinth: &Labyrinth<T>) -> BTreeSet<u32>
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
