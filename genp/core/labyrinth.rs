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

use core::ops::{Deref, Range};

mod place;

use place::{bit_of, is_set, next_bit, Place, Plan, MAX_LEVELS};
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
/// what [`Labyrinth::shut`] does. The look into the door's own room comes before those.
/// Undisturbed it is one turn.
pub const TAKE_STEPS: u32 = 1 + (MAX_TURNS + 1) * (4 * MAX_LEVELS - 1);

/// Accesses to words in a give at most.
pub const GIVE_STEPS: u32 = 2 * MAX_LEVELS - 1;

/// 2^32 divided by the golden ratio: multiples of it, modulo 2^32, keep apart from
/// one another however many they are.
const GOLDEN: u32 = 0x9e37_79b9;

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

    // The table is only indexed with what `Plan` made of a page in range; any
    // other word is empty and stays so.

    fn word(&self, place: Place) -> Option<&W> {
        self.words.get(self.plan.number(place)?)
    }

    fn load(&self, place: Place) -> u64 {
        self.word(place).map_or(0, Word::load)
    }

    fn set(&self, place: Place, bit: u32) -> bool {
        self.word(place).is_some_and(|word| word.set(bit))
    }

    fn clear(&self, place: Place, bit: u32) -> bool {
        self.word(place).is_some_and(|word| word.clear(bit))
    }

    fn observe(&self, place: Place) -> u64 {
        self.word(place).map_or(0, Word::observe)
    }

    /// Takes a page, coming in by this door: doors with different numbers, such as
    /// those of CPUs, lie far apart, and any number is one. `None` if none was found.
    ///
    /// Context: any, preemption disabled. Cost: [`TAKE_STEPS`].
    pub fn take(&self, door: u32) -> Option<u32> {
        let door = self.page_at_door(door);
        let mut turns = 0..MAX_TURNS;
        // The door's own room first: most often there is something, and the way from
        // the top would end there.
        let room = Place::room_of(door);
        let word = self.load(room);
        if word != 0 {
            let page = self.claim(room, word, door, &mut turns);
            if page.is_some() {
                return page;
            }
        }
        while turns.next().is_some() {
            let (place, word) = self.walk(door);
            if word == 0 {
                if place == self.plan.top() {
                    return None;
                }
                self.shut(place);
                continue;
            }
            let page = self.claim(place, word, door, &mut turns);
            if page.is_some() {
                return page;
            }
        }
        None
    }

    /// Gives a page back.
    ///
    /// Context: any. Cost: [`GIVE_STEPS`].
    pub fn give(&self, page: u32) -> Result<(), Error> {
        if page >= self.pages {
            return Err(Error::OutOfRange);
        }
        let (room, bit) = (Place::room_of(page), bit_of(page));
        // ORDERING: pairs with the look of `shut()`; and with `claim()` by the next
        // one who takes the page, who sees all that was done to it before.
        if self.set(room, bit) {
            return Err(Error::NotTaken);
        }
        self.open(room);
        Ok(())
    }

    /// Whether a page was free just now.
    pub fn is_free(&self, page: u32) -> bool {
        page < self.pages && is_set(self.load(Place::room_of(page)), bit_of(page))
    }

    /// Free pages, if nobody takes or gives one meanwhile. O(pages), for statistics.
    pub fn count(&self) -> u32 {
        let rooms = self.words.iter().take(self.plan.rooms());
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
    fn walk(&self, door: u32) -> (Place, u64) {
        let mut place = self.plan.top();
        let mut word = self.load(place);
        // At most MAX_LEVELS - 1 times.
        for level in (0..place.level).rev() {
            if word == 0 {
                break;
            }
            let bit = next_bit(word, place.turn_to(door));
            let index = place.number_below(bit);
            place = Place { level, index };
            word = self.load(place);
        }
        (place, word)
    }

    /// Claims a page in a room that had these ones. Each that another was faster to
    /// take costs a turn.
    fn claim(&self, room: Place, seen: u64, door: u32, turns: &mut Range<u32>) -> Option<u32> {
        let mut word = seen;
        loop {
            let bit = next_bit(word, room.turn_to(door));
            // ORDERING: pairs with the same of others, of whom one sees the bit set;
            // and with `give()`.
            let mine = self.clear(room, bit);
            // Of those who clear the last bits at the same time, one at least sees
            // that there are none left.
            word = self.load(room);
            if word == 0 {
                self.shut(room);
            }
            if mine {
                return Some(room.number_below(bit));
            }
            // At most MAX_TURNS times.
            if word == 0 || turns.next().is_none() {
                return None;
            }
        }
    }

    /// Sets the bits above a word that is not empty, up to the top.
    fn open(&self, mut place: Place) {
        // At most MAX_LEVELS - 1 times.
        for _ in place.level..self.plan.top().level {
            let (above, bit) = place.above();
            // ORDERING: pairs with step 1 of `shut()`.
            if !is_set(self.load(above), bit) {
                self.set(above, bit);
            }
            place = above;
        }
    }

    /// Clears the bit above an empty word, and so on up if that empties the word
    /// above; but sets it again if the word is no longer empty by then.
    fn shut(&self, mut place: Place) {
        // At most MAX_LEVELS - 1 times.
        for _ in place.level..self.plan.top().level {
            let (above, bit) = place.above();
            self.clear(above, bit);
            // ORDERING: pairs with `give()` and with all that set bits here in
            // `open()` or below. A read-modify-write although nothing is changed;
            // see the top of this file.
            if self.observe(place) != 0 {
                self.set(above, bit);
                self.open(above);
                return;
            }
            if self.load(above) != 0 {
                return;
            }
            place = above;
        }
    }
}
