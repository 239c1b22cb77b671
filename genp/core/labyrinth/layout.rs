// SPDX-License-Identifier: GPL-2.0

//! Which bits of which words stand for a page, and for the words on the path to it.
//!
//! The words are a complete tree with 64 branches at each node, stored in one row as a
//! heap is: the top, the 64 words below it, the 64 words below each of those. So the
//! numbers of the words above and below follow from a word's own number. The row ends
//! with the last leaf in use.

/// A word has 1 << `WORD_LOG` bits.
const WORD_LOG: u32 = 6;
const WORD_BITS: u32 = 1 << WORD_LOG;

/// The most levels of words: leaves, and three levels of summary words.
pub(super) const MAX_LEVELS: u32 = 4;

/// The most pages a labyrinth can have: 64 to the power of the number of levels.
pub const MAX_PAGES: u32 = 1 << (WORD_LOG * MAX_LEVELS);

/// Levels up to a single word at the top: `MAX_LEVELS` at most, by [`MAX_PAGES`].
const fn levels(pages: u32) -> u32 {
    let mut levels = 1;
    while levels < MAX_LEVELS && pages > 1 << (WORD_LOG * levels) {
        levels += 1;
    }
    levels
}

/// Summary words of a tree with `levels` levels.
const fn summary_words(levels: u32) -> u32 {
    // 1 + 64 + 64^2 ..., one term less than there are levels.
    ((1 << (WORD_LOG * (levels - 1))) - 1) / (WORD_BITS - 1)
}

/// The number of words for `pages` pages, all levels together: 8 bytes each, 1/63 more
/// than one bit for each page. `None` for more pages than [`MAX_PAGES`].
pub const fn words(pages: u32) -> Option<usize> {
    if pages > MAX_PAGES {
        return None;
    }
    Some((summary_words(levels(pages)) + pages.div_ceil(WORD_BITS)) as usize)
}

/// The bit that stands for a page in its leaf.
pub(super) const fn bit_of(page: u32) -> u32 {
    page % WORD_BITS
}

/// The page that a bit stands for in the leaf of `page`.
pub(super) const fn beside(page: u32, bit: u32) -> u32 {
    (page & !(WORD_BITS - 1)) | bit
}

/// Whether a bit of a word is set.
pub(super) const fn is_set(word: u64, bit: u32) -> bool {
    word.wrapping_shr(bit) & 1 != 0
}

/// The first set bit of a word that is not 0, at or after `from` modulo 64, wrapping
/// around.
#[inline(always)]
pub(super) const fn next_bit(word: u64, from: u32) -> u32 {
    let distance = word.rotate_right(from % WORD_BITS).trailing_zeros();
    distance.wrapping_add(from) % WORD_BITS
}

/// The index of a word in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WordIndex(pub(super) u32);

impl WordIndex {
    pub(super) const TOP: Self = Self(0);

    /// The word above one that is not the top, and the bit in it that stands for this
    /// one.
    #[inline(always)]
    pub(super) const fn above(self) -> (Self, u32) {
        let number = self.0.wrapping_sub(1);
        (Self(number / WORD_BITS), number % WORD_BITS)
    }

    /// The word that a bit of this one, which is not a leaf, stands for.
    #[inline(always)]
    pub(super) const fn below(self, bit: u32) -> Self {
        Self(
            self.0
                .wrapping_mul(WORD_BITS)
                .wrapping_add(bit)
                .wrapping_add(1),
        )
    }
}

/// Where in the table the leaves begin, and the path to each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    leaves_at: u32,
    /// By how much a page's number is shifted to get its branch at the top.
    top_shift: u32,
}

impl Layout {
    /// The layout for `pages` pages, [`MAX_PAGES`] at most.
    pub(super) const fn new(pages: u32) -> Self {
        Self {
            leaves_at: summary_words(levels(pages)),
            top_shift: WORD_LOG * (levels(pages) - 1),
        }
    }

    /// The leaf of a page.
    #[inline(always)]
    pub(super) const fn leaf_of(&self, page: u32) -> WordIndex {
        WordIndex(self.leaves_at.wrapping_add(page / WORD_BITS))
    }

    /// The page that a bit of a leaf stands for.
    #[inline(always)]
    pub(super) const fn page_of(&self, leaf: WordIndex, bit: u32) -> u32 {
        let index = leaf.0.wrapping_sub(self.leaves_at);
        index.wrapping_mul(WORD_BITS).wrapping_add(bit)
    }

    /// The bits on the path to a page, modulo 64: one for each summary level, from the
    /// top down.
    #[inline(always)]
    pub(super) fn branches_to(&self, page: u32) -> impl Iterator<Item = u32> {
        let mut shift = self.top_shift;
        core::iter::from_fn(move || {
            if shift == 0 {
                return None;
            }
            let branch = page.wrapping_shr(shift);
            shift = shift.wrapping_sub(WORD_LOG);
            Some(branch)
        })
    }

    /// The index of the first leaf in the table.
    pub(super) const fn leaves_at(&self) -> usize {
        self.leaves_at as usize
    }
}
