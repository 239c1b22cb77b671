// SPDX-License-Identifier: MIT OR Apache-2.0

//! Allocates blocks of a shared heap: two-level segregated fit, as [`crate::heap`], with
//! every word in the shared memory and every change on record. A constant number of steps.
//!
//! A block has a header of four words:
//!
//! ```text
//!   seal     the state of the block, mixed with its place and a secret
//!   extent   member (8 bits) | bytes, header included (44) | flags (4)
//!   next     in the list of free blocks of its size, or of the blocks of its member
//!   before
//!   ...      what the user writes; a free block has its bytes at its end
//! ```

use super::{
    members,
    words::{
        Checked, Damaged, Words, BEFORE, FIRST, HEADS, LEVELS, LISTS, NEXT, PEAK, ROOT, SECRET,
        STEPS, USED,
    },
};
use crate::heap::lists::{round_up, List, STEPS as PER_LEVEL};

pub(super) const HEADER: usize = 32;
/// The least bytes of a block.
pub(super) const SMALLEST: usize = HEADER + 16;

const EXTENT: usize = 8;

/// A flag of an extent: the block before is free.
const BEFORE_FREE: u64 = 1;
const FLAGS: u64 = 15;
const BYTES: u64 = (1 << 48) - 1 - FLAGS;
const MEMBER: u32 = 48;

/// Blocks that a search for an aligned one looks at, at most; and of each list.
const LOOKS: usize = 256;
const LOOKS_IN_LIST: usize = 16;

/// The state of a block.
#[derive(Clone, Copy)]
#[repr(u64)]
enum State {
    Live = 0x6c69_7665_3b1e_90d8,
    Free = 0x9c47_2fa3_52f8_b169,
    End = 0xc5d0_4e16_a11c_e5d1,
    Merged = 0,
}

/// The allocator: to be used under the lock.
#[derive(Clone, Copy)]
pub(super) struct Engine(pub(super) Words);

impl Engine {
    /// All of the memory is one free block; there is room for one, and the rest is zero.
    pub(super) fn make(self) -> Checked<()> {
        let end = self.end();
        self.seal(end, State::End)?;
        self.0.set(end + EXTENT, 0)?;
        self.0.set(FIRST + EXTENT, 0)?;
        self.insert(FIRST, end - FIRST)
    }

    /// The least bytes that a heap needs, without a block.
    pub(super) const LEAST: usize = FIRST + SMALLEST + HEADER;

    /// The header at the end.
    fn end(self) -> usize {
        self.0.length() / 16 * 16 - HEADER
    }

    fn seal_of(self, at: usize, state: State) -> Checked<u64> {
        let mixed = state as u64 ^ at as u64 ^ self.0.read(SECRET)?;
        Ok(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn seal(self, at: usize, state: State) -> Checked<()> {
        self.0.set(at, self.seal_of(at, state)?)
    }

    fn is(self, at: usize, state: State) -> Checked<bool> {
        Ok(self.0.read(at)? == self.seal_of(at, state)?)
    }

    fn is_free(self, at: usize) -> Checked<bool> {
        if self.is(at, State::Free)? {
            return Ok(true);
        }
        match self.is(at, State::Live)? || self.is(at, State::End)? {
            true => Ok(false),
            false => Err(Damaged),
        }
    }

    /// The live block that a user has at an offset: None if it is none.
    pub(super) fn live(self, user: usize) -> Checked<Option<usize>> {
        let within = user >= FIRST + HEADER && user < self.end() && user % 16 == 0;
        if !within || !self.is(user - HEADER, State::Live)? {
            return Ok(None);
        }
        Ok(Some(user - HEADER))
    }

    /// The word at an offset is in a live block or the heap's own: at least where such a one can
    /// be.
    pub(super) fn is_slot(self, at: usize) -> bool {
        at % 8 == 0 && (at == ROOT || (FIRST + HEADER..self.end()).contains(&at))
    }

    fn length(self, at: usize) -> Checked<usize> {
        let length = (self.0.read(at + EXTENT)? & BYTES) as usize;
        match (SMALLEST..=self.end().saturating_sub(at)).contains(&length) {
            true => Ok(length),
            false => Err(Damaged),
        }
    }

    fn free_length(self, at: usize) -> Checked<usize> {
        match self.is_free(at)? {
            true => self.length(at),
            false => Err(Damaged),
        }
    }

    /// Bytes that a live block has for its user.
    pub(super) fn usable(self, at: usize) -> Checked<usize> {
        Ok(self.length(at)? - HEADER)
    }

    /// The member whose block it is.
    pub(super) fn member(self, at: usize) -> Checked<usize> {
        Ok((self.0.read(at + EXTENT)? >> MEMBER) as usize)
    }

    /// The largest request that can be served now.
    pub(super) fn largest(self) -> Checked<usize> {
        let Some(level) = self.0.read(LEVELS)?.checked_ilog2() else {
            return Ok(0);
        };
        let steps = self.0.read(STEPS + level as usize * 8)?;
        let step = steps.checked_ilog2().ok_or(Damaged)? as usize;
        match level as usize * PER_LEVEL + step {
            list @ 0..LISTS => Ok(List::numbered(list).least()),
            _ => Err(Damaged),
        }
    }

    fn head(list: List) -> usize {
        HEADS + list.number() * 8
    }

    fn first(self, list: List) -> Checked<usize> {
        self.0.link(Self::head(list))
    }

    fn set_first(self, list: List, first: usize) -> Checked<()> {
        let (level, step) = (list.number() / PER_LEVEL, list.number() % PER_LEVEL);
        self.0.set(Self::head(list), first as u64)?;
        let steps = self.0.read(STEPS + level * 8)?;
        let levels = self.0.read(LEVELS)?;
        let (steps, levels) = match first {
            0 if steps & !(1 << step) == 0 => (0, levels & !(1 << level)),
            0 => (steps & !(1 << step), levels),
            _ => (steps | (1 << step), levels | (1 << level)),
        };
        self.0.set(STEPS + level * 8, steps)?;
        self.0.set(LEVELS, levels)
    }

    /// The lowest list from this one on that has a block.
    fn from(self, list: List) -> Checked<Option<List>> {
        let (level, step) = (list.number() / PER_LEVEL, list.number() % PER_LEVEL);
        let here = self.0.read(STEPS + level * 8)? & (u64::MAX << step);
        let found = if here != 0 {
            level * PER_LEVEL + here.trailing_zeros() as usize
        } else {
            let above = self.0.read(LEVELS)? & (u64::MAX << (level + 1));
            if above == 0 {
                return Ok(None);
            }
            let level = above.trailing_zeros() as usize;
            let steps = self.0.read(STEPS + level * 8)?;
            level * PER_LEVEL + steps.trailing_zeros() as usize
        };
        match found < LISTS {
            true => Ok(Some(List::numbered(found))),
            false => Err(Damaged),
        }
    }

    fn set_flags(self, at: usize, flags: u64) -> Checked<()> {
        let extent = self.0.read(at + EXTENT)? & !FLAGS;
        self.0.set(at + EXTENT, extent | flags)
    }

    /// Makes a block free. Neither of its neighbours is.
    fn insert(self, at: usize, length: usize) -> Checked<()> {
        let list = List::of(length - HEADER);
        let next = self.first(list)?;
        self.seal(at, State::Free)?;
        self.0.set(at + EXTENT, length as u64)?;
        self.0.set(at + NEXT, next as u64)?;
        self.0.set(at + BEFORE, 0)?;
        if next != 0 {
            self.0.set(next + BEFORE, at as u64)?;
        }
        self.set_first(list, at)?;
        self.0.set(at + length - 8, length as u64)?;
        self.set_flags(at + length, BEFORE_FREE)
    }

    /// Takes a free block out of its list.
    fn remove(self, at: usize, length: usize) -> Checked<()> {
        let list = List::of(length - HEADER);
        let next = self.0.link(at + NEXT)?;
        let before = self.0.link(at + BEFORE)?;
        let points_here = |other: usize, link: usize| {
            let here = self.is_free(other)? && self.0.read(other + link)? == at as u64;
            here.then_some(()).ok_or(Damaged)
        };
        if next != 0 {
            points_here(next, BEFORE)?;
            self.0.set(next + BEFORE, before as u64)?;
        }
        if before != 0 {
            points_here(before, NEXT)?;
            return self.0.set(before + NEXT, next as u64);
        }
        match self.first(list)? == at {
            true => self.set_first(list, next),
            false => Err(Damaged),
        }
    }

    /// Allocates for a member; the user's offset is aligned to a power of two. None if there
    /// is no room; for more than 16 bytes of alignment, also if too many blocks that are no
    /// good come first.
    pub(super) fn alloc(self, size: usize, align: usize, member: usize) -> Checked<Option<usize>> {
        let Some(bytes) = round_up(size) else {
            return Ok(None);
        };
        let Some((found, gap)) = self.find(bytes, align)? else {
            return Ok(None);
        };
        let length = self.free_length(found)?;
        // Who shares the heap may have changed it since, or before.
        if length
            .checked_sub(gap + HEADER)
            .is_none_or(|room| room < bytes)
        {
            return Err(Damaged);
        }
        self.remove(found, length)?;
        let (at, mut flags) = (found + gap, 0);
        if gap > 0 {
            self.0.set(at + EXTENT, 0)?;
            self.insert(found, gap)?;
            flags = BEFORE_FREE;
        }
        let taken = self.keep(at, bytes + HEADER, length - gap)?;
        let extent = ((member as u64) << MEMBER) | taken as u64 | flags;
        self.0.set(at + EXTENT, extent)?;
        self.seal(at, State::Live)?;
        members::link(self.0, member, at)?;
        let used = self.0.read(USED)?.checked_add(taken as u64);
        let used = used.ok_or(Damaged)?;
        self.0.set(USED, used)?;
        self.0.set(PEAK, used.max(self.0.read(PEAK)?))?;
        Ok(Some(at))
    }

    /// Makes what is behind the first `length` bytes free, if that is enough for a block:
    /// the bytes that are left.
    fn keep(self, at: usize, length: usize, all: usize) -> Checked<usize> {
        if all - length < SMALLEST {
            self.set_flags(at + all, 0)?;
            return Ok(all);
        }
        self.0.set(at + length + EXTENT, 0)?;
        self.insert(at + length, all - length)?;
        Ok(length)
    }

    /// Frees a live block.
    pub(super) fn free(self, at: usize) -> Checked<()> {
        let length = self.length(at)?;
        members::unlink(self.0, self.member(at)?, at)?;
        let flags = self.0.read(at + EXTENT)? & FLAGS;
        let (mut start, mut bytes) = (at, length);
        let after = at + length;
        if self.is_free(after)? {
            let more = self.length(after)?;
            self.remove(after, more)?;
            self.seal(after, State::Merged)?;
            bytes += more;
        }
        if flags & BEFORE_FREE != 0 {
            let less = self.0.read(at - 8)? as usize;
            start = at.checked_sub(less).ok_or(Damaged)?;
            if self.free_length(start)? != less {
                return Err(Damaged);
            }
            self.remove(start, less)?;
            self.seal(at, State::Merged)?;
            bytes += less;
        }
        let used = self.0.read(USED)?.checked_sub(length as u64);
        self.0.set(USED, used.ok_or(Damaged)?)?;
        self.insert(start, bytes)
    }

    /// Makes a live block another member's.
    pub(super) fn give(self, at: usize, member: usize) -> Checked<()> {
        members::unlink(self.0, self.member(at)?, at)?;
        let extent = self.0.read(at + EXTENT)? & (BYTES | FLAGS);
        self.0
            .set(at + EXTENT, extent | ((member as u64) << MEMBER))?;
        members::link(self.0, member, at)
    }

    /// A free block for the request, and what to leave free at its front.
    fn find(self, bytes: usize, align: usize) -> Checked<Option<(usize, usize)>> {
        let tight = self.from(List::of(bytes))?;
        if align <= 16 {
            return tight.map(|list| Ok((self.first(list)?, 0))).transpose();
        }
        // Any block of this list or above is large enough wherever it begins.
        if let Some(ample) = round_up(bytes + align + SMALLEST) {
            if let Some(list) = self.from(List::of(ample))? {
                return self.fit(self.first(list)?, bytes, align);
            }
        }
        let (mut list, mut looks) = (tight, LOOKS);
        while let Some(here) = list.filter(|_| looks > 0) {
            let mut at = self.first(here)?;
            for _ in 0..LOOKS_IN_LIST.min(looks) {
                if at == 0 {
                    break;
                }
                looks -= 1;
                if let Some(found) = self.fit(at, bytes, align)? {
                    return Ok(Some(found));
                }
                at = self.0.link(at + NEXT)?;
            }
            list = match here.number() + 1 {
                LISTS => None,
                next => self.from(List::numbered(next))?,
            };
        }
        Ok(None)
    }

    fn fit(self, at: usize, bytes: usize, align: usize) -> Checked<Option<(usize, usize)>> {
        let length = self.free_length(at)?;
        let mut gap = (at + HEADER).wrapping_neg() & (align - 1);
        if gap > 0 && gap < SMALLEST {
            gap += align;
        }
        Ok((gap + bytes + HEADER <= length).then_some((at, gap)))
    }

    /// The seal of a state, by its number, for who forges blocks.
    #[cfg(test)]
    pub(super) fn forged(self, at: usize, state: usize) -> Checked<u64> {
        let states = [State::Live, State::Free, State::End, State::Merged];
        self.seal_of(at, states[state])
    }

    /// Looks at every block: they lie side by side, no two free ones are neighbours, and
    /// what is in use is what is said. The number of live blocks.
    #[cfg(test)]
    pub(super) fn check(self) -> Checked<usize> {
        let (mut at, mut used, mut live, mut before_free) = (FIRST, 0, 0, false);
        while at != self.end() {
            let (free, length) = (self.is_free(at)?, self.length(at)?);
            let flag = self.0.read(at + EXTENT)? & BEFORE_FREE != 0;
            if flag != before_free || (free && before_free) {
                return Err(Damaged);
            }
            if !free {
                used += length as u64;
                live += 1;
            }
            (at, before_free) = (at + length, free);
        }
        match self.is(at, State::End)? && used == self.0.read(USED)? {
            true => Ok(live),
            false => Err(Damaged),
        }
    }
}
