// SPDX-License-Identifier: MIT OR Apache-2.0

//! The memory of a heap and the headers in it.
//!
//! A block begins with a header of two words. Blocks are named by the offset of their
//! header from the beginning of the memory, a multiple of 16.
//!
//! ```text
//!   owner    seal (32 bits) | note (32)      whoever has the block
//!   extent   alignment (8) | bytes, header included (48) | flags (4)   the lock
//!   ...      what the user writes; in a free block its links, and at its end its bytes
//! ```
//!
//! The seal says in which state the block is. It is made of the state, the offset, the
//! note and a secret of the heap, so that nothing else than a header looks like one: not
//! a copy of it elsewhere, not what a program writes into a block, not a header that was
//! overwritten in part. It comes first: to run over the end of the block before it is to
//! break it.

use std::{
    cell::Cell,
    ptr::NonNull,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::size_class::GRAIN;

/// Bytes of a header.
pub(super) const HEADER: usize = 16;

/// Spreads the bits of a note: 2^32 by the golden ratio.
const MIX: u32 = 0x9e37_79b1;

/// The state of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum State {
    /// Allocated. The note is the size that was requested.
    Live = 0x6c69_7665,
    /// In a thread cache. The note is the next block of its stack.
    Cached = 0x3b1e_90d8,
    /// In a list of free blocks.
    Free = 0x9c47_2fa3,
    /// No block: the end of the memory.
    End = 0xc5d0_4e16,
    /// No block any longer: it was merged with the one before.
    Merged = 0x52f8_b169,
}

/// The heap is damaged: something wrote where it had no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// A result, or what was found instead of it.
pub(super) type Checked<T> = Result<T, Damaged>;

/// The memory of a heap.
pub(super) struct Memory {
    start: NonNull<u8>,
    /// The offset of the header at the end. Only [`Self::set_end`] changes it.
    end: AtomicUsize,
    /// Only [`Self::reseal`] changes it.
    secret: Cell<u32>,
}

// SAFETY: an address and numbers; what is there is reached by atomic operations.
unsafe impl Send for Memory {}
// SAFETY: as above; the secret changes while nobody uses it, see `reseal`.
unsafe impl Sync for Memory {}

impl Memory {
    /// `end` bytes from `start` on, and HEADER more.
    ///
    /// # Safety
    ///
    /// The memory belongs to the heap for as long as that is used; `start` is aligned to
    /// 16, `end` a multiple of 16.
    pub(super) unsafe fn new(start: NonNull<u8>, end: usize) -> Self {
        let secret = secret() ^ (start.as_ptr() as usize >> 12) as u32;
        Self {
            start,
            end: AtomicUsize::new(end),
            secret: Cell::new(secret),
        }
    }

    /// The same memory, with the secret of now.
    pub(super) fn same(&self) -> Self {
        Self {
            start: self.start,
            end: AtomicUsize::new(self.end()),
            secret: Cell::new(self.secret()),
        }
    }

    #[inline(always)]
    fn secret(&self) -> u32 {
        // Nobody uses the heap while it changes, see `reseal`.
        self.secret.get()
    }

    /// Breaks all seals: no block is one any longer.
    ///
    /// # Safety
    ///
    /// Nobody else uses the heap, not by this object either.
    pub(super) unsafe fn reseal(&self) {
        // A sequence in which no secret comes again before all others did (Hull and Dobell).
        let next = self
            .secret()
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.secret.set(next);
    }

    /// The offset of the header at the end.
    #[inline(always)]
    pub(super) fn end(&self) -> usize {
        // Relaxed: it changes under the lock.
        self.end.load(Ordering::Relaxed)
    }

    /// Moves the end. Context: the lock of the heap is held; the memory before it is the heap's,
    /// and HEADER bytes more.
    pub(super) fn set_end(&self, end: usize) {
        self.end.store(end, Ordering::Relaxed);
    }

    /// The offset of the header at the end in a heap of this many bytes, which begins on a page.
    pub(super) fn end_of(bytes: usize) -> usize {
        bytes.saturating_sub(HEADER) / GRAIN * GRAIN
    }

    /// The address of the header at this offset.
    pub(super) fn header(&self, at: usize) -> *mut u8 {
        self.start.as_ptr().wrapping_add(at)
    }

    /// The address of a block, behind its header.
    #[inline(always)]
    pub(super) fn address(&self, at: usize) -> NonNull<u8> {
        // SAFETY: within the memory, or at most a header behind it.
        unsafe { NonNull::new_unchecked(self.start.as_ptr().wrapping_add(at + HEADER)) }
    }

    /// The block that has this address, if it can be that of one.
    #[inline(always)]
    pub(super) fn offset(&self, address: NonNull<u8>) -> usize {
        (address.as_ptr() as usize).wrapping_sub(self.start.as_ptr() as usize + HEADER)
    }

    /// A word of the memory.
    ///
    /// # Safety
    ///
    /// `offset` is a multiple of 8 and less than `end` plus HEADER.
    #[inline(always)]
    pub(super) unsafe fn word_at(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: by the precondition, within the memory.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// A word of the memory, or [`Damaged`] if there is none at this offset.
    #[inline]
    fn word(&self, offset: usize) -> Checked<&AtomicU64> {
        if offset >= self.end() + HEADER || offset % 8 != 0 {
            return Err(Damaged);
        }
        // SAFETY: just checked.
        Ok(unsafe { self.word_at(offset) })
    }

    /// Reads a word.
    #[inline]
    pub(super) fn read(&self, offset: usize) -> Checked<u64> {
        Ok(self.word(offset)?.load(Ordering::Relaxed))
    }

    /// Writes a word.
    #[inline]
    pub(super) fn write(&self, offset: usize, value: u64) -> Checked<()> {
        self.word(offset)?.store(value, Ordering::Relaxed);
        Ok(())
    }

    /// The owner word of a block in this state, with this note.
    #[inline(always)]
    pub(super) fn seal(&self, at: usize, state: State, note: u32) -> u64 {
        let place = (at / GRAIN) as u32;
        let seal = state as u32 ^ self.secret() ^ place ^ note.wrapping_mul(MIX);
        (u64::from(note) << 32) | u64::from(seal)
    }

    /// The note of an owner word, if the block is in this state.
    #[inline(always)]
    pub(super) fn note_if(&self, at: usize, state: State, owner: u64) -> Option<u32> {
        let note = (owner >> 32) as u32;
        (self.seal(at, state, note) == owner).then_some(note)
    }

    /// Puts a block into a state.
    #[inline]
    pub(super) fn set_state(&self, at: usize, state: State, note: u32) -> Checked<()> {
        self.write(at, self.seal(at, state, note))
    }

    /// Whether a block is free; [`Damaged`] if there is none.
    #[inline]
    pub(super) fn is_free(&self, at: usize) -> Checked<bool> {
        let owner = self.read(at)?;
        let has = |state| self.note_if(at, state, owner).is_some();
        if has(State::Free) {
            return Ok(true);
        }
        match has(State::Live) || has(State::Cached) || has(State::End) {
            true => Ok(false),
            false => Err(Damaged),
        }
    }
}

/// A number that differs from one process to the next. No system call.
fn secret() -> u32 {
    // SAFETY: has no precondition; if it is not 0, there are 16 bytes.
    unsafe {
        match libc::getauxval(libc::AT_RANDOM) as *const u32 {
            random if random.is_null() => std::process::id().wrapping_mul(0x9e37_79b1),
            random => random.read_unaligned() ^ random.add(3).read_unaligned().rotate_left(16),
        }
    }
}
