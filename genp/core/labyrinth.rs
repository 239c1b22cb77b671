// SPDX-License-Identifier: GPL-2.0

//! A stock of pages that many take from and give to at the same time, without a
//! lock, and without any of them ever waiting for another.
//!
//! *Rooms* are words with one bit for each page, set while the page is free.
//! *Corridors* are words above them with one bit for each word of the level below,
//! set while there may be something in it; above those are corridors again, until
//! one word is above all. Whoever takes a page walks down from there, at each word
//! through the next bit that is set at or after that of the own door, and clears
//! the page's bit in the room: the page belongs to the one who saw it set then.
//!
//! Limits:
//! - A page given back twice is noticed if it is still free at the second time. If
//!   someone took it in between, only a record of who has it can tell.
//! - `take()` returns `None` when it found nothing, not when there is nothing. It
//!   gives up after [`MAX_TURNS`] turns, which bits that others are faster to take
//!   and bits above words just emptied cost; and while another take stands between
//!   the two steps of `shut()`, below, pages that were given in the meantime can
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
//!     shut(), C being empty            give() or shut() at C, then open()
//!     ---------------------            ----------------------------------
//!     1. P.clear(b)                    3. C.set(bit)
//!     2. C.observe()                   4. P.load(), if b is clear P.set(b)
//!        if not 0 P.set(b)
//! ```
//!
//! Words are only ever written by read-modify-writes, which follow one another for
//! each word, and each sees all that was done before the one it follows. 2 is one
//! as well, though it changes nothing, so it comes either after 3 or before it:
//! - 3 before 2: 2 sees the bit, and shut() sets `b` again.
//! - 2 before 3: 3 comes after 1 too, so 4 cannot see `b` as it was before 1; and
//!   neither can anyone else who has seen the bit that 3 set.
//!
//! With a plain load for 2, the two would each write one word and then read the
//! other. That takes a full barrier on both sides; and a third, who finds the bit
//! of 3 set by a give that was stopped before 4, could still see `b` of before 1.
//!
//! For that third one open() goes up to the top even where it finds the bits set:
//! who set them may not have gone on. For each level: if 2 came before 3, the third
//! sees `b` clear and sets it. If it saw a bit in `C` that was cleared before 2, the
//! take that cleared it has, after that, looked at the word below `C`, and the same
//! holds there; down to the room, where nobody clears the bit of a free page but
//! who takes it. So either that take sets the bit in `C` again, or whoever set one
//! below does, and each of them comes to 4 after 2.

use core::ops::Deref;

mod place;

use place::{beside, bit_of, is_set, next_bit, Place, Plan, MAX_LEVELS};
#[allow(unused_imports)] // For who decides how large a stock can be.
pub use place::{words, MAX_PAGES};

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
pub enum Error {
    /// There is no such page here.
    OutOfRange,
    /// The page is free.
    NotTaken,
}

/// Turns after which a take gives up. A turn is one way down from the top, or one
/// more try in the same room.
pub const MAX_TURNS: u32 = 16;

/// Accesses to words in a take at most, however many others are at work: in each
/// turn one for each level on the way down, two for the claim, and 3 (levels - 1) for
/// what [`Labyrinth::shut`] does. The look into a room nearby comes before those.
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
    /// What was in the room after that.
    left: u64,
}

impl Claim {
    /// Tries to claim a page in a room that had the ones of `seen`, which is not 0.
    #[inline(always)]
    fn new<W: Word>(room: &W, seen: u64, door: u32) -> Self {
        let bit = next_bit(seen, door);
        Self {
            bit,
            // ORDERING: pairs with the same of others, of whom one sees the bit set;
            // and with `give()`.
            mine: room.clear(bit),
            // Of those who clear the last bits at the same time, one at least sees
            // that there are none left.
            left: room.load(),
        }
    }
}

/// The stock.
#[derive(Debug)]
pub struct Labyrinth<T> {
    words: T,
    plan: Plan,
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
            plan: Plan::new(pages),
            pages,
        })
    }

    /// Pages, free or not.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    // The table is only indexed with what `Plan` and `Place` made of a page in range;
    // any other word is empty and stays so.

    #[inline(always)]
    fn word(&self, place: Place) -> Option<&W> {
        self.words.get(place.0 as usize)
    }

    #[inline(always)]
    fn load(&self, place: Place) -> u64 {
        self.word(place).map_or(0, Word::load)
    }

    /// Takes a page, coming in by this door: doors with different numbers, such as
    /// those of CPUs, lie far apart, and any number is one. `None` if none was found.
    ///
    /// Context: any, preemption disabled. Cost: [`TAKE_STEPS`].
    #[inline(always)]
    pub fn take(&self, door: u32) -> Option<u32> {
        self.take_near(self.page_at_door(door), door)
    }

    /// As [`Self::take`], but looks into the room of the page `near` first, which any
    /// number may be. Whoever comes back to where they found one last time finds one
    /// there most often, without the way from the top.
    ///
    /// Context: any, preemption disabled. Cost: [`TAKE_STEPS`].
    #[inline(always)]
    pub fn take_near(&self, near: u32, door: u32) -> Option<u32> {
        let place = self.plan.room_of(near);
        let Some(room) = self.word(place) else {
            return self.search(door);
        };
        let seen = room.load();
        if seen == 0 {
            return self.search(door);
        }
        let tried = Claim::new(room, seen, near);
        if !tried.mine {
            return self.take_on(door, place, tried.left);
        }
        if tried.left == 0 {
            self.shut(place);
        }
        Some(beside(near, tried.bit))
    }

    /// Takes a page wherever one is: the first turn, which is the last one but when
    /// others are at work.
    #[inline(never)]
    fn search(&self, number: u32) -> Option<u32> {
        let door = self.page_at_door(number);
        let (place, seen) = self.walk(door);
        if seen == 0 {
            return if place == Place::TOP {
                None
            } else {
                self.take_on(number, place, 0)
            };
        }
        let tried = Claim::new(self.word(place)?, seen, door);
        if !tried.mine {
            return self.take_on(number, place, tried.left);
        }
        if tried.left == 0 {
            self.shut(place);
        }
        Some(self.plan.page_of(place, tried.bit))
    }

    /// Goes on with a take after its first turn, which found so much left in a word.
    #[cold]
    #[inline(never)]
    fn take_on(&self, door: u32, mut place: Place, mut seen: u64) -> Option<u32> {
        let door = self.page_at_door(door);
        for _ in 1..MAX_TURNS {
            if seen == 0 {
                self.shut(place);
                (place, seen) = self.walk(door);
                if seen == 0 {
                    if place == Place::TOP {
                        return None;
                    }
                    continue;
                }
            }
            let tried = Claim::new(self.word(place)?, seen, door);
            seen = tried.left;
            if tried.mine {
                if seen == 0 {
                    self.shut(place);
                }
                return Some(self.plan.page_of(place, tried.bit));
            }
        }
        if seen == 0 {
            self.shut(place);
        }
        None
    }

    /// Gives a page back.
    ///
    /// Context: any. Cost: [`GIVE_STEPS`].
    #[inline(always)]
    pub fn give(&self, page: u32) -> Result<(), Error> {
        if page >= self.pages {
            return Err(Error::OutOfRange);
        }
        let place = self.plan.room_of(page);
        let room = self.word(place).ok_or(Error::OutOfRange)?;
        // ORDERING: pairs with the look of `shut()`; and with the claim by the next
        // one who takes the page, who sees all that was done to it before.
        if room.set(bit_of(page)) {
            return Err(Error::NotTaken);
        }
        self.open(place);
        Ok(())
    }

    /// Whether a page was free just now.
    pub fn is_free(&self, page: u32) -> bool {
        page < self.pages && is_set(self.load(self.plan.room_of(page)), bit_of(page))
    }

    /// Free pages, if nobody takes or gives one meanwhile. O(pages), for statistics.
    pub fn count(&self) -> u32 {
        let rooms = self.words.iter().skip(self.plan.rooms_at());
        rooms.map(|room| room.load().count_ones()).sum()
    }

    /// Where a door is.
    fn page_at_door(&self, door: u32) -> u32 {
        let share = u64::from(door.wrapping_mul(GOLDEN));
        // CAST: below `pages`.
        (share.wrapping_mul(u64::from(self.pages)) >> 32) as u32
    }

    /// Goes down to a room, or as far as there is something: the last word, and
    /// what was in it.
    #[inline(always)]
    fn walk(&self, door: u32) -> (Place, u64) {
        let mut place = Place::TOP;
        let mut seen = self.load(place);
        // At most MAX_LEVELS - 1 times.
        for turn in self.plan.turns_to(door) {
            if seen == 0 {
                break;
            }
            place = place.below(next_bit(seen, turn));
            seen = self.load(place);
        }
        (place, seen)
    }

    /// Sets the bits above a word that is not empty, up to the top.
    #[inline(always)]
    fn open(&self, mut place: Place) {
        // At most MAX_LEVELS - 1 times.
        while place != Place::TOP {
            let (above, bit) = place.above();
            place = above;
            if let Some(word) = self.word(place) {
                // ORDERING: pairs with step 1 of `shut()`.
                if !is_set(word.load(), bit) {
                    word.set(bit);
                }
            }
        }
    }

    /// Clears the bit above an empty word, and so on up if that empties the word
    /// above; but sets it again if the word is no longer empty by then.
    #[inline(never)]
    fn shut(&self, mut place: Place) {
        let Some(mut word) = self.word(place) else {
            return;
        };
        // At most MAX_LEVELS - 1 times.
        while place != Place::TOP {
            let (above, bit) = place.above();
            place = above;
            let Some(upper) = self.word(place) else {
                return;
            };
            upper.clear(bit);
            // ORDERING: pairs with `give()` and with all that set bits here in
            // `open()` or below. A read-modify-write although nothing is changed;
            // see the top of this file.
            if word.observe() != 0 {
                upper.set(bit);
                self.open(place);
                return;
            }
            if upper.load() != 0 {
                return;
            }
            word = upper;
        }
    }
}
