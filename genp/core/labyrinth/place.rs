// SPDX-License-Identifier: GPL-2.0

//! Where the bit of a page, and the bits above it, stand in the table of words.
//!
//! The words are a complete tree of 64 branches, in one row: the top first, then the 64
//! below it, then the 64 below each of those. So a word's number says where the one above
//! it is and where those below it are. The row ends with the last room there is.

/// A word has 1 << `WORD_LOG` bits.
const WORD_LOG: u32 = 6;
const WORD_BITS: u32 = 1 << WORD_LOG;

/// Levels of words there can be: rooms and three of corridors.
pub(super) const MAX_LEVELS: u32 = 4;

/// Pages there can be: as many as one word at the top of all levels is above.
pub const MAX_PAGES: u32 = 1 << (WORD_LOG * MAX_LEVELS);

/// Levels until the top is a single word. At most `MAX_LEVELS`, by [`MAX_PAGES`].
const fn levels(pages: u32) -> u32 {
    let mut levels = 1;
    while levels < MAX_LEVELS && pages > 1 << (WORD_LOG * levels) {
        levels += 1;
    }
    levels
}

/// Words above the rooms of so many levels.
const fn corridors(levels: u32) -> u32 {
    // 1 + 64 + 64^2 ..., one term less than there are levels.
    ((1 << (WORD_LOG * (levels - 1))) - 1) / (WORD_BITS - 1)
}

/// Words of all levels. `None` if there are more pages than [`MAX_PAGES`].
pub const fn words(pages: u32) -> Option<usize> {
    if pages > MAX_PAGES {
        return None;
    }
    Some((corridors(levels(pages)) + pages.div_ceil(WORD_BITS)) as usize)
}

/// The bit that stands for a page in its room.
pub(super) const fn bit_of(page: u32) -> u32 {
    page % WORD_BITS
}

/// The page in the room of another one that a bit stands for.
pub(super) const fn beside(page: u32, bit: u32) -> u32 {
    (page & !(WORD_BITS - 1)) | bit
}

/// Whether a bit of a word is set.
pub(super) const fn is_set(word: u64, bit: u32) -> bool {
    word.wrapping_shr(bit) & 1 != 0
}

/// The first bit that is set in a word which is not empty, at or after `from` modulo 64,
/// all around.
#[inline(always)]
pub(super) const fn next_bit(word: u64, from: u32) -> u32 {
    let distance = word.rotate_right(from % WORD_BITS).trailing_zeros();
    distance.wrapping_add(from) % WORD_BITS
}

/// The number of a word in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) u32);

impl Place {
    pub(super) const TOP: Self = Self(0);

    /// The word above one that is not the top, and the bit in it that stands for this
    /// one.
    #[inline(always)]
    pub(super) const fn above(self) -> (Self, u32) {
        let number = self.0.wrapping_sub(1);
        (Self(number / WORD_BITS), number % WORD_BITS)
    }

    /// The word that a bit of this one, which is not a room, stands for.
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

/// Where in the table the rooms begin, and how to get there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    rooms_at: u32,
    /// By how much a page's number is shifted for its turn at the top.
    top_shift: u32,
}

impl Plan {
    /// The plan for so many pages, [`MAX_PAGES`] at most.
    pub(super) const fn new(pages: u32) -> Self {
        Self {
            rooms_at: corridors(levels(pages)),
            top_shift: WORD_LOG * (levels(pages) - 1),
        }
    }

    /// The room of a page.
    #[inline(always)]
    pub(super) const fn room_of(&self, page: u32) -> Place {
        Place(self.rooms_at.wrapping_add(page / WORD_BITS))
    }

    /// The page that a bit of a room stands for.
    #[inline(always)]
    pub(super) const fn page_of(&self, room: Place, bit: u32) -> u32 {
        let index = room.0.wrapping_sub(self.rooms_at);
        index.wrapping_mul(WORD_BITS).wrapping_add(bit)
    }

    /// Where the way to a page turns, at each word from the top down to the rooms, but
    /// for the last one: bits, modulo 64.
    #[inline(always)]
    pub(super) fn turns_to(&self, page: u32) -> impl Iterator<Item = u32> {
        let mut shift = self.top_shift;
        core::iter::from_fn(move || {
            if shift == 0 {
                return None;
            }
            let turn = page.wrapping_shr(shift);
            shift = shift.wrapping_sub(WORD_LOG);
            Some(turn)
        })
    }

    /// Where in the table the rooms are.
    pub(super) const fn rooms_at(&self) -> usize {
        self.rooms_at as usize
    }
}
