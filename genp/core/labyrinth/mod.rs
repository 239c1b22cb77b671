// SPDX-License-Identifier: GPL-2.0

//! The free pages of a stock: a lock-free hierarchical bitmap, in which no caller
//! ever waits for another.
//!
//! *Leaves* are words with one bit for each page, set while the page is free.
//! *Summary words* stand above them, with one bit for each word of the level below,
//! set while that word may be non-empty; above those are summary words again, up to
//! a single word at the top. A hierarchical bitmap is an old means to find a set
//! bit in a number of steps that depends on the number of levels only; the size classes
//! of [`super::tlsf`] are one with two levels. How the summaries stay true without a
//! lock is shown below.
//!
//! A take descends from the top. At each word it follows the first set bit at or after
//! that of its *start hint*, and clears the page's bit in the leaf: the page belongs to
//! the caller that saw the bit set when clearing it.
//!
//! Limits:
//! - A page given back twice is noticed if it is still free at the second time. If
//!   it was taken in between, only a record of who has it can tell.
//! - `take()` returns `None` when it found nothing, not when there is nothing. It
//!   gives up after [`MAX_RETRIES`] retries. Retries are spent on bits that others
//!   clear first, and on summary bits of words that have just become empty. While
//!   another take stands between the two steps of `clear_summary()`, below, pages
//!   given in the meantime can be out of sight. So disable preemption around a take: a
//!   take that is stopped there corrupts nothing, but others may miss free pages until
//!   it goes on.
//! - A give that is stopped hides nothing but the page it gives.
//!
//! # Ordering
//!
//! What must hold: when each take has ended, there is a path of set bits from the
//! top to each page whose give has ended, even if other gives never end. A summary bit
//! that is set above an empty word costs the take that meets it one retry, no more.
//!
//! Let `C` be a word, `P` the one above, and `b` the bit of `P` that stands for `C`:
//!
//! ```text
//!     clear_summary(), C being empty   give() or clear_summary() at C, then
//!                                      set_summary()
//!     ------------------------------   ------------------------------------
//!     1. P.clear(b)                    3. C.set(bit)
//!     2. C.observe()                   4. P.load(), if b is clear P.set(b)
//!        if not 0 P.set(b)
//! ```
//!
//! Words are only ever written by read-modify-writes. Those of one word have a total
//! order, and each sees everything done before the one it follows. 2 is a
//! read-modify-write as well, though it changes nothing, so it comes either after 3 or
//! before it:
//! - 3 before 2: 2 sees the bit, and clear_summary() sets `b` again.
//! - 2 before 3: 3 comes after 1 too, so 4 cannot see `b` as it was before 1; and
//!   neither can any other caller that has seen the bit that 3 set.
//!
//! With a plain load for 2, the two sides would each write one word and then read the
//! other. That takes a full barrier on both sides; and a third caller, who meets the bit
//! of 3 set by a give that was stopped before 4, could still see `b` of before 1.
//!
//! For that third caller set_summary() goes up to the top even where it finds bits set:
//! whoever set them may have been stopped before the next level. For each level: if 2
//! came before 3, the third caller sees `b` clear and sets it. If it saw a bit in `C`
//! that was cleared before 2, then the take that cleared it has, after that, looked at
//! the word below `C`, and the same holds there; down to the leaf, where only the taker
//! clears the bit of a free page. So either that take sets the bit in `C` again, or
//! whoever set a bit below does, and each of them comes to 4 after 2.

use core::ops::Deref;

mod exact;
mod layout;

use layout::{beside, bit_of, is_set, next_bit, Layout, WordIndex, MAX_LEVELS};
#[allow(unused_imports)] // For whoever decides how large a stock can be.
pub use layout::{words, MAX_PAGES};

/// A word of 64 bits, shared by all CPUs. No function may wait for another CPU or
/// for the code it interrupted: an implementation with a lock behind it must not be used
/// from interrupts. Each function changes one bit or nothing, because that is what
/// machines do in one instruction without a retry loop.
pub trait Word {
    /// The value (acquire).
    fn load(&self) -> u64;

    /// Sets a bit, 0 to 63, and returns whether it was set before; fully ordered.
    fn set(&self, bit: u32) -> bool;

    /// Clears a bit, 0 to 63, and returns whether it was set before; fully ordered.
    fn clear(&self, bit: u32) -> bool;

    /// The value, by a read-modify-write that changes nothing; fully ordered.
    fn observe(&self) -> u64;
}

/// Why [`Labyrinth::give`] refused a page. Nothing was changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabyrinthError {
    /// The page number is not below [`Labyrinth::pages`].
    OutOfRange,
    /// The page is free already.
    NotTaken,
}

/// Retries after which a take gives up. A retry is one more descent from the top, or
/// one more attempt in the same leaf.
pub const MAX_RETRIES: u32 = 15;

/// The most accesses to words in a take, whatever other callers do: in each attempt one
/// for each level of the descent, two for the claim, and 3 (levels - 1) for clearing
/// summaries. The attempts are one in the leaf of the page `near`, with one access more,
/// the first descent, and the retries. An undisturbed take needs one.
pub const TAKE_STEPS: u32 = 1 + (MAX_RETRIES + 2) * (4 * MAX_LEVELS - 1);

/// The most accesses to words in a give.
pub const GIVE_STEPS: u32 = 2 * MAX_LEVELS - 1;

/// 2^32 divided by the golden ratio: multiples of it, modulo 2^32, are far apart from
/// one another, however many there are (Knuth's multiplicative hashing).
const GOLDEN: u32 = 0x9e37_79b9;

/// An attempt to claim a page.
struct Claim {
    bit: u32,
    /// Whether the page is the caller's now.
    mine: bool,
    /// The leaf after that.
    left: u64,
}

impl Claim {
    /// Tries to claim a page in a leaf whose value was `seen`, which is not 0.
    #[inline(always)]
    fn new<W: Word>(leaf: &W, seen: u64, hint: u32) -> Self {
        let bit = next_bit(seen, hint);
        Self {
            bit,
            // ORDERING: pairs with the same clear() of other takes, of which one sees the
            // bit set; and with `give()`.
            mine: leaf.clear(bit),
            // Of the takes that clear the last bits at the same time, at least one sees
            // that no bit is left.
            left: leaf.load(),
        }
    }
}

/// A lock-free set of free pages, numbered from 0.
///
/// ```
/// # use genp_core::labyrinth::{words, Labyrinth, Word};
/// # use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
/// # #[derive(Default)] struct HostWord(AtomicU64);
/// # impl Word for HostWord {
/// #     fn load(&self) -> u64 { self.0.load(SeqCst) }
/// #     fn set(&self, bit: u32) -> bool { self.0.fetch_or(1 << bit, SeqCst) >> bit & 1 != 0 }
/// #     fn clear(&self, bit: u32) -> bool { self.0.fetch_and(!(1 << bit), SeqCst) >> bit & 1 != 0 }
/// #     fn observe(&self) -> u64 { self.0.fetch_add(0, SeqCst) }
/// # }
/// # fn example() -> Option<()> {
/// let table: Vec<HostWord> = (0..words(100)?).map(|_| HostWord::default()).collect();
/// let stock = Labyrinth::new(table, 100)?;
/// assert_eq!(stock.take(0), None);
/// assert_eq!(stock.give(7), Ok(()));
/// assert_eq!(stock.take(0), Some(7));
/// # Some(()) } assert_eq!(example(), Some(()));
/// ```
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
    /// A set of `pages` pages, none of which is free, in `table`, which must have
    /// [`words()`] entries, all of them 0. `None` if the table has fewer entries, or
    /// `pages` is more than [`MAX_PAGES`]. O(1).
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

    /// The number of pages, free or not.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    // The table is only indexed with what `Layout` and `WordIndex` made of a page in
    // range; any other word is empty and stays so.
    #[inline(always)]
    fn word(&self, at: WordIndex) -> Option<&W> {
        self.words.get(at.0 as usize)
    }

    #[inline(always)]
    fn load(&self, at: WordIndex) -> u64 {
        self.word(at).map_or(0, Word::load)
    }

    /// Takes a page. The search starts at a page that `hint` selects: different hints,
    /// such as the numbers of CPUs, select pages far apart. Any number is a hint. `None`
    /// if no free page was found; see the limits at the top of this module.
    ///
    /// Context: any, preemption disabled. Cost: [`TAKE_STEPS`].
    #[inline(always)]
    pub fn take(&self, hint: u32) -> Option<u32> {
        self.take_near(self.page_at_hint(hint), hint)
    }

    /// As [`Self::take`], but tries the leaf of the page `near` first, which may be any
    /// number. A caller that comes back to where it found a page last time mostly finds
    /// one there, without a descent from the top.
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

    /// Takes a page wherever one is, by one descent unless other callers interfere.
    #[inline(never)]
    fn search(&self, hint: u32) -> Option<u32> {
        let start = self.page_at_hint(hint);
        let (at, seen) = self.descend(start);
        if seen == 0 {
            return if at == WordIndex::TOP {
                None
            } else {
                self.take_with_retries(hint, at, 0)
            };
        }
        let tried = Claim::new(self.word(at)?, seen, start);
        if !tried.mine {
            return self.take_with_retries(hint, at, tried.left);
        }
        if tried.left == 0 {
            self.clear_summary(at);
        }
        Some(self.layout.page_of(at, tried.bit))
    }

    /// Continues a take after its first attempt, which left `seen` in the word `at`.
    #[cold]
    #[inline(never)]
    fn take_with_retries(&self, hint: u32, mut at: WordIndex, mut seen: u64) -> Option<u32> {
        let start = self.page_at_hint(hint);
        // loop-bound: MAX_RETRIES
        for _ in 0..MAX_RETRIES {
            if seen == 0 {
                self.clear_summary(at);
                (at, seen) = self.descend(start);
                if seen == 0 {
                    if at == WordIndex::TOP {
                        return None;
                    }
                    continue;
                }
            }
            let tried = Claim::new(self.word(at)?, seen, start);
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

    /// Gives a page back, which any later take may return.
    ///
    /// Errors: [`LabyrinthError::OutOfRange`], [`LabyrinthError::NotTaken`].
    ///
    /// Context: any. Cost: [`GIVE_STEPS`].
    #[inline(always)]
    pub fn give(&self, page: u32) -> Result<(), LabyrinthError> {
        if page >= self.pages {
            return Err(LabyrinthError::OutOfRange);
        }
        let at = self.layout.leaf_of(page);
        let leaf = self.word(at).ok_or(LabyrinthError::OutOfRange)?;
        // ORDERING: pairs with observe() in `clear_summary()`; and with the clear() of the
        // next take of this page, which sees everything done to the page before.
        if leaf.set(bit_of(page)) {
            return Err(LabyrinthError::NotTaken);
        }
        self.set_summary(at);
        Ok(())
    }

    /// Whether a page was free at the time of the call. O(1).
    pub fn is_free(&self, page: u32) -> bool {
        page < self.pages && is_set(self.load(self.layout.leaf_of(page)), bit_of(page))
    }

    /// The number of free pages, exact if none is taken or given meanwhile. O(pages).
    pub fn count(&self) -> u32 {
        let leaves = self.words.iter().skip(self.layout.leaves_at());
        // loop-bound: (pages + 63) / 64
        leaves.fold(0, |sum, leaf| leaf.load().count_ones().saturating_add(sum))
    }

    /// The page at which a search with this hint starts.
    fn page_at_hint(&self, hint: u32) -> u32 {
        let share = u64::from(hint.wrapping_mul(GOLDEN));
        // CAST: below `pages`.
        (share.wrapping_mul(u64::from(self.pages)) >> 32) as u32
    }

    /// Descends to a leaf, or as far as words are not empty: the last word, and its
    /// value.
    #[inline(always)]
    fn descend(&self, start: u32) -> (WordIndex, u64) {
        let mut at = WordIndex::TOP;
        let mut seen = self.load(at);
        // loop-bound: MAX_LEVELS - 1
        for branch in self.layout.branches_to(start) {
            if seen == 0 {
                break;
            }
            at = at.below(next_bit(seen, branch));
            seen = self.load(at);
        }
        (at, seen)
    }

    /// Sets the bits above a word that is not empty, up to the top.
    #[inline(always)]
    fn set_summary(&self, mut at: WordIndex) {
        // loop-bound: MAX_LEVELS - 1
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
        // loop-bound: MAX_LEVELS - 1
        while at != WordIndex::TOP {
            let (above, bit) = at.above();
            at = above;
            let Some(upper) = self.word(at) else {
                return;
            };
            upper.clear(bit);
            // ORDERING: pairs with `give()` and with all that set bits here in
            // `set_summary()` or below. A read-modify-write although nothing is changed;
            // see the top of this module.
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
