// SPDX-License-Identifier: GPL-2.0

//! Where the bit of a page, and the bits above it, stand in the table of words.

/// A word has 1 << `WORD_LOG` bits.
const WORD_LOG: u32 = 6;
const WORD_BITS: u32 = 1 << WORD_LOG;

/// Levels of words there can be: rooms and three of corridors.
pub(super) const MAX_LEVELS: u32 = 4;

/// Pages there can be: as many as one word at the top of all levels is above.
pub const MAX_PAGES: u32 = 1 << (WORD_LOG * MAX_LEVELS);

/// Words of this level, 0 for the rooms.
const fn words_of_level(pages: u32, level: u32) -> u32 {
    pages.div_ceil(1 << (WORD_LOG * (level + 1)))
}

/// Levels until one of a single word. At most `MAX_LEVELS`, by [`MAX_PAGES`].
const fn levels(pages: u32) -> u32 {
    let mut levels = 1;
    while levels < MAX_LEVELS && words_of_level(pages, levels - 1) > 1 {
        levels += 1;
    }
    levels
}

/// Words of all levels, rooms first, the single word of the top last. `None` if
/// there are more pages than [`MAX_PAGES`].
pub const fn words(pages: u32) -> Option<usize> {
    if pages > MAX_PAGES {
        return None;
    }
    let mut words = 0;
    let mut level = 0;
    while level < levels(pages) {
        words += words_of_level(pages, level);
        level += 1;
    }
    Some(words as usize)
}

/// The bit that stands for a page in its room.
pub(super) const fn bit_of(page: u32) -> u32 {
    page % WORD_BITS
}

/// Whether a bit of a word is set.
pub(super) const fn is_set(word: u64, bit: u32) -> bool {
    word.wrapping_shr(bit) & 1 != 0
}

/// The first bit that is set in a word which is not empty, at or after `from`,
/// all around.
pub(super) const fn next_bit(word: u64, from: u32) -> u32 {
    let distance = word.rotate_right(from).trailing_zeros();
    distance.wrapping_add(from) % WORD_BITS
}

/// A word: its level, and its number among the words of this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) level: u32,
    pub(super) index: u32,
}

impl Place {
    /// The room of a page.
    pub(super) const fn room_of(page: u32) -> Self {
        Self {
            level: 0,
            index: page / WORD_BITS,
        }
    }

    /// The word above, and the bit in it that stands for this one.
    pub(super) const fn above(self) -> (Self, u32) {
        let above = Self {
            level: self.level.wrapping_add(1),
            index: self.index / WORD_BITS,
        };
        (above, self.index % WORD_BITS)
    }

    /// Where the way to a page leads on from the level of this word: a bit.
    pub(super) const fn turn_to(self, page: u32) -> u32 {
        page.wrapping_shr(WORD_LOG.wrapping_mul(self.level)) % WORD_BITS
    }

    /// What a bit of this word stands for: a word of the level below; from a room,
    /// a page.
    pub(super) const fn number_below(self, bit: u32) -> u32 {
        self.index.wrapping_mul(WORD_BITS).wrapping_add(bit)
    }
}

/// Where in the table the words of each level begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    levels: u32,
    rooms: u32,
    first: [u32; MAX_LEVELS as usize],
}

impl Plan {
    /// The plan for so many pages, [`MAX_PAGES`] at most.
    pub(super) fn new(pages: u32) -> Self {
        let mut first = [0; MAX_LEVELS as usize];
        let mut words = 0;
        for (level, first) in (0..MAX_LEVELS).zip(&mut first) {
            *first = words;
            words += words_of_level(pages, level);
        }
        Self {
            levels: levels(pages),
            rooms: words_of_level(pages, 0),
            first,
        }
    }

    /// The one word of the highest level.
    pub(super) const fn top(&self) -> Place {
        Place {
            level: self.levels.wrapping_sub(1),
            index: 0,
        }
    }

    /// Words of the lowest level.
    pub(super) const fn rooms(&self) -> usize {
        self.rooms as usize
    }

    /// The number of a word in the table.
    pub(super) fn number(&self, place: Place) -> Option<usize> {
        let first = self.first.get(place.level as usize)?;
        Some((*first as usize).wrapping_add(place.index as usize))
    }
}
