// SPDX-License-Identifier: MIT OR Apache-2.0

//! Allocates blocks of any size out of the memory, and merges those that are freed. Each
//! call takes a constant number of steps. Whatever it follows is checked before
//! anything is changed, so that a stray write is noticed and goes no further.

mod end;
mod place;
mod resize;
mod run;

use std::{ptr::NonNull, sync::atomic::AtomicU64};

use super::{
    lists::{List, Lists, NONE},
    memory::{Checked, Damaged, Memory, State, HEADER},
    size_class::GRAIN,
    told::Told,
};

/// The least bytes of a block: room for the links of a free one.
pub(super) const SMALLEST: usize = HEADER + 16;
/// Flags of an extent: the block before is free, and whether it is of the smallest size,
/// which has no room for its bytes at its end.
const BEFORE_FREE: u64 = 1;
const BEFORE_SMALLEST: u64 = 2;
const FLAGS: u64 = 15;
const BYTES: u64 = (1 << 56) - 1 - FLAGS;
/// The lowest bit of the binary logarithm of the alignment, if that is not the default.
const ALIGN: u32 = 56;

/// Offsets in a block.
const EXTENT: usize = 8;
const NEXT: usize = HEADER;
const BEFORE: usize = HEADER + 8;

/// The allocator.
pub(super) struct Engine {
    memory: Memory,
    lists: Lists,
    /// Bytes in blocks that are not free, with their headers.
    used: usize,
    /// The most of `used` since [`Self::reset_peak`].
    peak: usize,
    told: Told,
}

/// Bytes that a block has for its user, out of its extent. More than any class has if it
/// is aligned to more than the default.
#[inline(always)]
pub(super) fn bytes_unless_aligned(extent: u64) -> usize {
    (extent & !FLAGS) as usize - HEADER
}

/// Bytes that a block has for its user, out of its extent.
pub(super) fn bytes(extent: u64) -> usize {
    ((extent & BYTES) as usize).saturating_sub(HEADER)
}

/// The alignment of a block, out of its extent.
pub(super) fn alignment(extent: u64) -> usize {
    match (extent >> ALIGN) as u32 {
        0 => GRAIN,
        bits => 1usize.checked_shl(bits).unwrap_or(GRAIN),
    }
}

/// The extent of a block, for its owner.
///
/// # Safety
///
/// `at` is a block.
#[inline(always)]
pub(super) unsafe fn extent_of(memory: &Memory, at: usize) -> u64 {
    // SAFETY: by the precondition.
    unsafe { memory.word_at(at + EXTENT) }.load(std::sync::atomic::Ordering::Relaxed)
}

impl Engine {
    /// All of the memory is one free block.
    pub(super) fn new(memory: Memory) -> Checked<Self> {
        let mut engine = Self {
            memory,
            lists: Lists::new(),
            used: 0,
            peak: 0,
            told: Told::NOWHERE,
        };
        let end = engine.memory.end();
        if end >= SMALLEST {
            engine.memory.set_state(end, State::End, 0)?;
            engine.memory.write(end + EXTENT, 0)?;
            engine.memory.write(EXTENT, 0)?;
            engine.insert(0, end)?;
        }
        Ok(engine)
    }

    /// Bytes in blocks that are not free, with their headers.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// The most bytes that were in blocks that are not free.
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// Forgets the peak.
    pub(super) fn reset_peak(&mut self) {
        self.peak = self.used;
        self.told.tell(self.used, self.peak);
    }

    /// Goes on with the peak of the engine before this one, and tells where that did.
    pub(super) fn succeed(&mut self, before: &Self) {
        self.peak = self.peak.max(before.peak);
        self.told = before.told;
        self.told.tell(self.used, self.peak);
    }

    /// The largest request for a block without an alignment that can be served now.
    pub(super) fn largest(&self) -> usize {
        self.lists.highest().map_or(0, List::least)
    }

    /// The bytes of a free block that is at most a thirty-second smaller than the largest.
    pub(super) fn large_one(&self) -> Checked<usize> {
        match self.lists.highest() {
            None => Ok(0),
            Some(list) => Ok(self.free_length(self.lists.first(list))? - HEADER),
        }
    }

    /// Changes the bytes that are in use.
    #[inline]
    fn use_bytes(&mut self, less: usize, more: usize) {
        self.used = self.used - less + more;
        self.peak = self.peak.max(self.used);
        self.told.tell(self.used, self.peak);
    }

    /// The offset of the header at the end.
    pub(super) fn end(&self) -> usize {
        self.memory.end()
    }

    /// Tells the bytes in use nowhere from now on.
    pub(super) fn tell_nowhere(&mut self) {
        self.told = Told::NOWHERE;
    }

    /// Tells the bytes in use here from now on.
    ///
    /// # Safety
    ///
    /// Two words there are the heap's for as long as that is used.
    pub(super) unsafe fn tell_at(&mut self, figures: NonNull<[AtomicU64; 2]>) {
        // SAFETY: by the precondition.
        self.told = unsafe { Told::at(figures) };
        self.told.tell(self.used, self.peak);
    }

    /// The bytes of a block, with its header.
    #[inline]
    pub(super) fn length(&self, at: usize) -> Checked<usize> {
        let length = (self.memory.read(at + EXTENT)? & BYTES) as usize;
        match (SMALLEST..=self.memory.end().wrapping_sub(at)).contains(&length) {
            true => Ok(length),
            false => Err(Damaged),
        }
    }

    /// The bytes of a free block.
    fn free_length(&self, at: usize) -> Checked<usize> {
        match self.memory.is_free(at)? {
            true => self.length(at),
            false => Err(Damaged),
        }
    }

    /// The free block behind `at + length`, and its bytes; 0 bytes if it is not free.
    #[inline]
    fn free_after(&self, at: usize, length: usize) -> Checked<(usize, usize)> {
        let after = at + length;
        Ok(match self.memory.is_free(after)? {
            true => (after, self.length(after)?),
            false => (after, 0),
        })
    }

    /// The free block before `at`, and its bytes; 0 bytes if it is not free.
    #[inline]
    fn free_before(&self, at: usize) -> Checked<(usize, usize)> {
        let flags = self.memory.read(at + EXTENT)?;
        let length = match flags & (BEFORE_FREE | BEFORE_SMALLEST) {
            0 => return Ok((at, 0)),
            BEFORE_FREE => self.memory.read(at.wrapping_sub(8))? as usize,
            _ => SMALLEST,
        };
        let before = at.checked_sub(length).ok_or(Damaged)?;
        match self.free_length(before)? == length {
            true => Ok((before, length)),
            false => Err(Damaged),
        }
    }

    /// Sets the bytes of a block, not its flags; it has no alignment then.
    #[inline]
    fn set_length(&self, at: usize, length: usize) -> Checked<()> {
        let flags = self.memory.read(at + EXTENT)? & FLAGS;
        self.memory.write(at + EXTENT, length as u64 | flags)
    }

    /// Tells the block at `at` about the one before.
    #[inline]
    fn set_flags(&self, at: usize, flags: u64) -> Checked<()> {
        let extent = self.memory.read(at + EXTENT)? & !FLAGS;
        self.memory.write(at + EXTENT, extent | flags)
    }

    /// Makes a block free. Neither of its neighbours is.
    #[inline]
    fn insert(&mut self, at: usize, length: usize) -> Checked<()> {
        let list = List::of(length - HEADER);
        let next = self.lists.first(list);
        self.memory.set_state(at, State::Free, 0)?;
        self.memory.write(at + EXTENT, length as u64)?;
        self.memory.write(at + NEXT, next as u64)?;
        self.memory.write(at + BEFORE, NONE as u64)?;
        if next != NONE {
            self.memory.write(next + BEFORE, at as u64)?;
        }
        self.lists.set_first(list, at);
        self.mark(at, length)
    }

    /// Tells the block behind a free one of that.
    #[inline]
    fn mark(&self, at: usize, length: usize) -> Checked<()> {
        if length == SMALLEST {
            return self.set_flags(at + length, BEFORE_FREE | BEFORE_SMALLEST);
        }
        self.memory.write(at + length - 8, length as u64)?;
        self.set_flags(at + length, BEFORE_FREE)
    }

    /// Takes a free block out of its list. Its neighbours must be told.
    #[inline]
    fn remove(&mut self, at: usize, length: usize) -> Checked<()> {
        let list = List::of(length - HEADER);
        let next = self.memory.read(at + NEXT)? as usize;
        let before = self.memory.read(at + BEFORE)? as usize;
        let points_here = |other: usize, link: usize| {
            let here = self.memory.is_free(other)? && self.memory.read(other + link)? == at as u64;
            here.then_some(()).ok_or(Damaged)
        };
        if next != NONE {
            points_here(next, BEFORE)?;
        }
        if before != NONE {
            points_here(before, NEXT)?;
        } else if self.lists.first(list) != at {
            return Err(Damaged);
        }
        if next != NONE {
            self.memory.write(next + BEFORE, before as u64)?;
        }
        match before {
            NONE => self.lists.set_first(list, next),
            _ => self.memory.write(before + NEXT, next as u64)?,
        }
        Ok(())
    }

    /// Allocates a block for this many bytes, which were rounded up by
    /// [`super::lists::round_up`], aligned to a power of two. None if there is no room;
    /// where the alignment is more than the default, also if too many blocks that are no
    /// good come before one that is. It is live from here on, so that whoever looks at it as a
    /// neighbour, even after the lock was given up, does not take it for free.
    pub(super) fn alloc(
        &mut self,
        bytes: usize,
        align: usize,
        note: u32,
    ) -> Checked<Option<usize>> {
        let Some((found, gap)) = self.find(bytes, align)? else {
            return Ok(None);
        };
        let length = self.free_length(found)?;
        self.remove(found, length)?;
        let at = found + gap;
        self.memory.write(at + EXTENT, 0)?;
        if gap > 0 {
            self.insert(found, gap)?;
        }
        let taken = self.keep(at, bytes + HEADER, length - gap)?;
        self.memory.set_state(at, State::Live, note)?;
        self.use_bytes(0, taken);
        if align > GRAIN {
            let extent = self.memory.read(at + EXTENT)?;
            let bits = u64::from(align.trailing_zeros());
            self.memory.write(at + EXTENT, extent | (bits << ALIGN))?;
        }
        Ok(Some(at))
    }

    /// Makes a block of the first `length` bytes of those from `at` on, and a free block
    /// of the others, if they are enough for one: returns the bytes of the first.
    #[inline]
    fn keep(&mut self, at: usize, length: usize, all: usize) -> Checked<usize> {
        if all - length < SMALLEST {
            self.set_length(at, all)?;
            self.set_flags(at + all, 0)?;
            return Ok(all);
        }
        self.set_length(at, length)?;
        self.memory.write(at + length + EXTENT, 0)?;
        self.insert(at + length, all - length)?;
        Ok(length)
    }

    /// Frees a block, of whatever state.
    #[inline]
    pub(super) fn free(&mut self, at: usize) -> Checked<()> {
        let length = self.length(at)?;
        self.free_bytes(at, length)
    }

    /// Frees `length` bytes, which are blocks, from the first block on.
    #[inline]
    fn free_bytes(&mut self, at: usize, length: usize) -> Checked<()> {
        let (after, more) = self.free_after(at, length)?;
        let (before, less) = self.free_before(at)?;
        if more > 0 {
            self.remove(after, more)?;
            self.memory.set_state(after, State::Merged, 0)?;
        }
        self.use_bytes(length, 0);
        let all = less + length + more;
        if less > 0 && List::of(less - HEADER) == List::of(all - HEADER) {
            // It stays where it is in its list.
            self.memory.set_state(at, State::Merged, 0)?;
            self.memory.write(before + EXTENT, all as u64)?;
            return self.mark(before, all);
        }
        if less > 0 {
            self.remove(before, less)?;
        }
        self.memory.set_state(at, State::Merged, 0)?;
        self.insert(before, all)
    }
}

#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;
