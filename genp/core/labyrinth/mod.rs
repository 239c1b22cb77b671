// SPDX-License-Identifier: GPL-2.0

//! A stock of pages that many take from and give to at the same time, without a
//! lock, and without any of them ever waiting for another.
//!
//! *Rooms* are words with one bit for each page, set while the page is free.
//! *Corridors* are words above them with one bit for each word of the level below,
//! set while there may be something in it; above those are summary_words again, until
//! one word is above all. Whoever takes a page walks down from there, at each word
//! through the next bit that is set at or after that of the own hint, and clears
//! the page's bit in the leaf: the page belongs to the one who saw it set then.
//!
//! Limits:
//! - A page given back twice is noticed if it is still free at the second time. If
//!   someone took it in between, only a record of who has it can tell.
//! - `take()` returns `None` when it found nothing, not when there is nothing. It
//!   gives up after [`MAX_TURNS`] turns, which bits that others are faster to take
//!   and bits above words just emptied cost; and while another take stands between
//!   the two steps of `clear_summary()`, below, pages that were given in the meantime can
//!   be out of sight. So call it where it is not preempted: a take that is stopped
//!   there harms nobody's pages, but others may miss some until it goes on.
//! - A give that is stopped hides nothing but the page it gives.
//!
//! # Ordering
//!
//! What must hold: when each take has ended, there is a way of set bits from the
//! top to each page whose give has ended, even if other gives never end. A bit too
//! many, above an empty word, costs the take that finds it a turn, no more.
//!
//! Let `C` be a word, `P` the one above, and `b` the bit of `P` that stands for `C`:
//!
//! ```text
//!     clear_summary(), C being empty            give() or clear_summary() at C, then set_summary()
//!     ---------------------            ----------------------------------
//!     1. P.clear(b)                    3. C.set(bit)
//!     2. C.observe()                   4. P.load(), if b is clear P.set(b)
//!        if not 0 P.set(b)
//! ```
//!
//! Words are only ever written by read-modify-writes, which follow one another for
//! each word, and each sees all that was done before the one it follows. 2 is one
//! as well, though it changes nothing, so it comes either after 3 or before it:
//! - 3 before 2: 2 sees the bit, and clear_summary() sets `b` again.
//! - 2 before 3: 3 comes after 1 too, so 4 cannot see `b` as it was before 1; and
//!   neither can anyone else who has seen the bit that 3 set.
//!
//! With a plain load for 2, the two would each write one word and then read the
//! other. That takes a full barrier on both sides; and a third, who finds the bit
//! of 3 set by a give that was stopped before 4, could still see `b` of before 1.
//!
//! For that third one set_summary() goes up to the top even where it finds the bits set:
//! who set them may not have gone on. For each level: if 2 came before 3, the third
//! sees `b` clear and sets it. If it saw a bit in `C` that was cleared before 2, the
//! take that cleared it has, after that, looked at the word below `C`, and the same
//! holds there; down to the leaf, where nobody clears the bit of a free page but
//! who takes it. So either that take sets the bit in `C` again, or whoever set one
//! below does, and each of them comes to 4 after 2.

use core::ops::Deref;

mod layout;

use layout::{beside, bit_of, is_set, next_bit, Layout, WordIndex, MAX_LEVELS};
#[allow(unused_imports)] // For who decides how large a stock can be.
pub use layout::{words, MAX_PAGES};

/// A word of 64 bits, shared by all CPUs. None of its functions may wait for
/// another CPU or for what they interrupted: with a lock behind them, the labyrinth
/// must not be used from interrupts. Each is one bit or no change at all, because
/// that is what machines do in one step, without trying again.
pub trait Word {
    /// Its value; what comes later in the program comes after this (acquire).
    fn load(&self) -> u64;

    /// Sets a bit, 0 to 63, and says whether it was set before; fully ordered.
    fn set(&self, bit: u32) -> bool;

    /// Clears a bit, 0 to 63, and says whether it was set before; fully ordered.
    fn clear(&self, bit: u32) -> bool;

    /// Its value, by a read-modify-write that changes nothing; fully ordered.
    fn observe(&self) -> u64;
}

/// Why a page was refused; nothing was changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabyrinthError {
    /// There is no such page here.
    OutOfRange,
    /// The page is free.
    NotTaken,
}

/// Turns after which a take gives up. A turn is one way down from the top, or one
/// more try in the same leaf.
pub const MAX_TURNS: u32 = 16;

/// Accesses to words in a take at most, however many others are at work: in each
/// turn one for each level on the way down, two for the claim, and 3 (levels - 1) for
/// what [`Labyrinth::clear_summary`] does. The look into a leaf nearby comes before those.
/// Undisturbed it is one turn.
pub const TAKE_STEPS: u32 = 1 + (MAX_TURNS + 1) * (4 * MAX_LEVELS - 1);

/// Accesses to words in a give at most.
pub const GIVE_STEPS: u32 = 2 * MAX_LEVELS - 1;

/// 2^32 divided by the golden ratio: multiples of it, modulo 2^32, keep apart from
/// one another however many they are.
const GOLDEN: u32 = 0x9e37_79b9;

/// A try to claim a page.
struct Claim {
    bit: u32,
    /// Whether it is the caller's now.
    mine: bool,
    /// What was in the leaf after that.
    left: u64,
}

impl Claim {
    /// Tries to claim a page in a leaf that had the ones of `seen`, which is not 0.
    #[inline(always)]
    fn new<W: Word>(leaf: &W, seen: u64, hint: u32) -> Self {
        let bit = next_bit(seen, hint);
        Self {
            bit,
            // ORDERING: pairs with the same of others, of whom one sees the bit set;
            // and with `give()`.
            mine: leaf.clear(bit),
            // Of those who clear the last bits at the same time, one at least sees
            // that there are none left.
            left: leaf.load(),
        }
    }
}

/// The stock.
#[derive(Debug)]
pub struct Labyrinth<T> {
    words: T,
    layout: Layout,
    pages: u32,
}

impl<T, W> Labyrinth<T>
where
    T: Deref<Target = [W]>,
    W: Word,
{
    /// A stock of `pages` pages, none of which is free, in the table `words`, which
    /// must have [`words()`] entries, all of them 0. `None` if there are fewer, or
    /// too many pages.
    pub fn new(table: T, pages: u32) -> Option<Self> {
        if table.len() < words(pages)? {
            return None;
        }
        Some(Self {
            words: table,
            layout: Layout::new(pages),
            pages,
        })
    }

    /// Pages, free or not.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    // The table is only indexed with what `Layout` and `WordIndex` made of a page in range;
    // any other word is empty and stays so.

    #[inline(always)]
    fn word(&self, at: WordIndex) -> Option<&W> {
        self.words.get(at.0 as usize)
    }

    #[inline(always)]
    fn load(&self, at: WordIndex) -> u64 {
        self.word(at).map_or(0, Word::load)
    }

    /// Takes a page, coming in by this hint: hints with different numbers, such as
    /// those of CPUs, lie far apart, and any number is one. `None` if none was found.
    ///
    /// Context: any, preemption disabled. Cost: [`TAKE_STEPS`].
    #[inline(always)]
    pub fn take(&self, hint: u32) -> Option<u32> {
        self.take_near(self.page_at_hint(hint), hint)
    }

    /// As [`Self::take`], but looks into the leaf of the page `near` first, which any
    /// number may be. Whoever comes back to where they found one last time finds one
    /// there most often, without the way from the top.
    ///
    /// Context: any, preemption disabled. Cost: [`TAKE_STEPS`].
    #[inline(always)]
    pub fn take_near(&self, near: u32, hint: u32) -> Option<u32> {
        let at = self.layout.leaf_of(near);
        let Some(leaf) = self.word(at) else {
            return self.search(hint);
        };
        let seen = leaf.load();
        if seen == 0 {
            return self.search(hint);
        }
        let tried = Claim::new(leaf, seen, near);
        if !tried.mine {
            return self.take_with_retries(hint, at, tried.left);
        }
        if tried.left == 0 {
            self.clear_summary(at);
        }
        Some(beside(near, tried.bit))
    }

    /// Takes a page wherever one is: the first turn, which is the last one but when
    /// others are at work.
    #[inline(never)]
    fn search(&self, number: u32) -> Option<u32> {
        let hint = self.page_at_hint(number);
        let (at, seen) = self.descend(hint);
        if seen == 0 {
            return if at == WordIndex::TOP {
                None
            } else {
                self.take_with_retries(number, at, 0)
            };
        }
        let tried = Claim::new(self.word(at)?, seen, hint);
        if !tried.mine {
            return self.take_with_retries(number, at, tried.left);
        }
        if tried.left == 0 {
            self.clear_summary(at);
        }
        Some(self.layout.page_of(at, tried.bit))
    }

    /// Goes on with a take after its first turn, which found so much left in a word.
    #[cold]
    #[inline(never)]
    fn take_with_retries(&self, hint: u32, mut at: WordIndex, mut seen: u64) -> Option<u32> {
        let hint = self.page_at_hint(hint);
        for _ in 1..MAX_TURNS {
            if seen == 0 {
                self.clear_summary(at);
                (at, seen) = self.descend(hint);
                if seen == 0 {
                    if at == WordIndex::TOP {
                        return None;
                    }
                    continue;
                }
            }
            let tried = Claim::new(self.word(at)?, seen, hint);
            seen = tried.left;
            if tried.mine {
                if seen == 0 {
                    self.clear_summary(at);
                }
                return Some(self.layout.page_of(at, tried.bit));
            }
        }
        if seen == 0 {
            self.clear_summary(at);
        }
        None
    }

    /// Gives a page back.
    ///
    /// Context: any. Cost: [`GIVE_STEPS`].
    #[inline(always)]
    pub fn give(&self, page: u32) -> Result<(), LabyrinthError> {
        if page >= self.pages {
            return Err(LabyrinthError::OutOfRange);
        }
        let at = self.layout.leaf_of(page);
        let leaf = self.word(at).ok_or(LabyrinthError::OutOfRange)?;
        // ORDERING: pairs with the look of `clear_summary()`; and with the claim by the next
        // one who takes the page, who sees all that was done to it before.
        if leaf.set(bit_of(page)) {
            return Err(LabyrinthError::NotTaken);
        }
        self.set_summary(at);
        Ok(())
    }

    /// Whether a page was free just now.
    pub fn is_free(&self, page: u32) -> bool {
        page < self.pages && is_set(self.load(self.layout.leaf_of(page)), bit_of(page))
    }

    /// Free pages, if nobody takes or gives one meanwhile. O(pages), for statistics.
    pub fn count(&self) -> u32 {
        let leaves = self.words.iter().skip(self.layout.leaves_at());
        leaves.map(|leaf| leaf.load().count_ones()).sum()
    }

    /// Where a hint is.
    fn page_at_hint(&self, hint: u32) -> u32 {
        let share = u64::from(hint.wrapping_mul(GOLDEN));
        // CAST: below `pages`.
        (share.wrapping_mul(u64::from(self.pages)) >> 32) as u32
    }

    /// Goes down to a leaf, or as far as there is something: the last word, and
    /// what was in it.
    #[inline(always)]
    fn descend(&self, hint: u32) -> (WordIndex, u64) {
        let mut at = WordIndex::TOP;
        let mut seen = self.load(at);
        // At most MAX_LEVELS - 1 times.
        for turn in self.layout.branches_to(hint) {
            if seen == 0 {
                break;
            }
            at = at.below(next_bit(seen, turn));
            seen = self.load(at);
        }
        (at, seen)
    }

    /// Sets the bits above a word that is not empty, up to the top.
    #[inline(always)]
    fn set_summary(&self, mut at: WordIndex) {
        // At most MAX_LEVELS - 1 times.
        while at != WordIndex::TOP {
            let (above, bit) = at.above();
            at = above;
            if let Some(word) = self.word(at) {
                // ORDERING: pairs with step 1 of `clear_summary()`.
                if !is_set(word.load(), bit) {
                    word.set(bit);
                }
            }
        }
    }

    /// Clears the bit above an empty word, and so on up if that empties the word
    /// above; but sets it again if the word is no longer empty by then.
    #[inline(never)]
    fn clear_summary(&self, mut at: WordIndex) {
        let Some(mut word) = self.word(at) else {
            return;
        };
        // At most MAX_LEVELS - 1 times.
        while at != WordIndex::TOP {
            let (above, bit) = at.above();
            at = above;
            let Some(upper) = self.word(at) else {
                return;
            };
            upper.clear(bit);
            // ORDERING: pairs with `give()` and with all that set bits here in
            // `set_summary()` or below. A read-modify-write although nothing is changed;
            // see the top of this file.
            if word.observe() != 0 {
                upper.set(bit);
                self.set_summary(at);
                return;
            }
            if upper.load() != 0 {
                return;
            }
            word = upper;
        }
    }
}
