// SPDX-License-Identifier: MIT OR Apache-2.0

//! The memory of a shared heap as words, which are named by their offset from its
//! beginning: each process has it at an address of its own.
//!
//! Before a word is changed, its place and what it was go into a record, in the same memory.
//! Whoever finds a process dead in the middle of a change undoes that: the heap is as it
//! was before the call then.
//!
//! ```text
//!   0      beginning: what this is, the lock, figures
//!   128    the record: how many changes, and each of them; a slot
//!   1168   members, 64 of 32 bytes
//!   3216   which lists of free blocks have one
//!   3536   the first block of each list
//!   13824  blocks
//! ```
//!
//! What a dying process wrote is in program order: it dies between two instructions, and the
//! kernel orders its stores before those of whoever gets the lock from it. So only the
//! compiler must be kept from another order.

use std::{
    ptr::NonNull,
    sync::atomic::{compiler_fence, AtomicU64, Ordering},
};

use crate::heap::lists::STEPS as PER_LEVEL;

/// What this is: nothing yet or a claim to it, a heap that somebody is just making, or a heap.
pub(super) const MAGIC: usize = 0;
pub(super) const MAKING: u64 = 0x6765_6e70_6d61_6b65;
pub(super) const MADE: u64 = 0x6765_6e70_7368_7264;
/// What must be the same in all programs that share it.
pub(super) const SHAPE: usize = 8;
/// Bytes of all of it.
pub(super) const LENGTH: usize = 16;
/// What seals are made with.
pub(super) const SECRET: usize = 24;
/// Not 0: it cannot be repaired.
pub(super) const BROKEN: usize = 32;
/// How often a change of a dead process was undone.
pub(super) const REPAIRS: usize = 40;
/// Bytes in use, and the most there ever were: the kernel reads both.
pub(super) const USED: usize = 48;
pub(super) const PEAK: usize = 56;
/// The lock, in 56 bytes.
pub(super) const LOCK: usize = 64;
/// The namespace of process numbers that all members are of.
pub(super) const NAMESPACE: usize = 120;
/// How many changes the record has, and where it begins.
const CHANGES: usize = 128;
/// A slot of the heap's own.
pub(super) const ROOT: usize = 136;
const RECORD: usize = 144;
/// The most changes of a call. The longest call makes 36.
const MOST_CHANGES: usize = 64;
/// Members.
pub(super) const MEMBERS: usize = 1168;
/// A bit for each level of lists that has a block; then the bits of the lists of a level.
pub(super) const LEVELS: usize = 3216;
pub(super) const STEPS: usize = 3224;
/// The first blocks of lists.
pub(super) const HEADS: usize = 3544;
/// The number of lists.
pub(super) const LISTS: usize = 40 * PER_LEVEL;
/// The links of a block, in its header.
pub(super) const NEXT: usize = 16;
pub(super) const BEFORE: usize = 24;
/// The first block.
pub(super) const FIRST: usize = 13824;

/// Somebody wrote where it was not theirs to write.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// A result, or what was found instead of it.
pub(super) type Checked<T> = Result<T, Damaged>;

/// The memory of a shared heap.
#[derive(Clone, Copy)]
pub(super) struct Words {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: an address and a number; what is there is reached by atomic operations.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// # Safety
    ///
    /// The memory is mapped for as long as this is used, on a page, and nothing but heaps of
    /// this kind writes there.
    pub(super) unsafe fn new(start: NonNull<u8>, length: usize) -> Self {
        Self { start, length }
    }

    pub(super) fn length(self) -> usize {
        self.length
    }

    /// The address of a byte of it.
    pub(super) fn address(self, at: usize) -> NonNull<u8> {
        // SAFETY: callers have a block there, or the lock.
        unsafe { self.start.add(at) }
    }

    /// The offset of an address; more than its length if it is not in it.
    pub(super) fn offset(self, address: NonNull<u8>) -> usize {
        (address.as_ptr() as usize).wrapping_sub(self.start.as_ptr() as usize)
    }

    #[inline]
    fn word(&self, at: usize) -> Checked<&AtomicU64> {
        if at > self.length - 8 || at % 8 != 0 {
            return Err(Damaged);
        }
        // SAFETY: just checked; the memory outlives `self`.
        Ok(unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(at).cast()) })
    }

    #[inline]
    pub(super) fn read(&self, at: usize) -> Checked<u64> {
        Ok(self.word(at)?.load(Ordering::Acquire))
    }

    /// Reads a link: 0, or the offset of something that can be a block. So what is added to it, a
    /// field or a length, is no less.
    #[inline]
    pub(super) fn link(&self, at: usize) -> Checked<usize> {
        let link = self.read(at)?;
        match usize::try_from(link) {
            Ok(0) => Ok(0),
            Ok(to) if (FIRST..self.length).contains(&to) && to % 16 == 0 => Ok(to),
            _ => Err(Damaged),
        }
    }

    /// Writes without a record: what is not the lock's, or cannot be half done.
    #[inline]
    pub(super) fn put(&self, at: usize, value: u64) -> Checked<()> {
        #[cfg(test)]
        die_if_due();
        self.word(at)?.store(value, Ordering::Release);
        Ok(())
    }

    /// Changes a word without a record if it is as expected: false if it is not.
    pub(super) fn exchange(&self, at: usize, old: u64, new: u64) -> Checked<bool> {
        #[cfg(test)]
        die_if_due();
        let word = self.word(at)?;
        let done = word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed);
        Ok(done.is_ok())
    }

    /// Makes a word 0 that nobody knows of yet.
    pub(super) fn clear(&self, at: usize) -> Checked<()> {
        self.word(at)?.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Changes a word, so that [`Self::undo`] can take it back. Under the lock.
    #[inline]
    pub(super) fn set(&self, at: usize, value: u64) -> Checked<()> {
        let word = self.word(at)?;
        let old = word.load(Ordering::Relaxed);
        if old == value {
            return Ok(());
        }
        let changes = self.read(CHANGES)? as usize;
        if changes >= MOST_CHANGES {
            return Err(Damaged);
        }
        let entry = RECORD + changes * 16;
        self.put(entry, at as u64)?;
        self.put(entry + 8, old)?;
        self.put(CHANGES, changes as u64 + 1)?;
        #[cfg(test)]
        die_if_due();
        // Release keeps the record before the change.
        word.store(value, Ordering::Release);
        Ok(())
    }

    /// All changes are to stay. Under the lock.
    #[inline]
    pub(super) fn commit(&self) -> Checked<()> {
        self.put(CHANGES, 0)?;
        // The record of the next change stays behind this.
        compiler_fence(Ordering::SeqCst);
        Ok(())
    }

    /// Takes all changes back since the last commit, at most [`MOST_CHANGES`]: true if there
    /// was one. Whoever dies in the middle of it leaves the same to be done again. Under the
    /// lock.
    pub(super) fn undo(&self) -> Checked<bool> {
        let changes = self.read(CHANGES)? as usize;
        if changes > MOST_CHANGES {
            return Err(Damaged);
        }
        for change in (0..changes).rev() {
            let entry = RECORD + change * 16;
            let (at, old) = (self.read(entry)? as usize, self.read(entry + 8)?);
            let unmade = at == MAGIC && old == MAKING;
            // The record itself, and the rest before it, is never changed so.
            if at < MEMBERS && !unmade && ![USED, PEAK, ROOT].contains(&at) {
                return Err(Damaged);
            }
            self.put(at, old)?;
        }
        self.commit()?;
        Ok(changes > 0)
    }
}

/// The stores before the one that this process is killed at, in a test; less than 0: none.
#[cfg(test)]
pub(super) static STORES_LEFT: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(-1);

#[cfg(test)]
fn die_if_due() {
    if STORES_LEFT.load(Ordering::Relaxed) >= 0 && STORES_LEFT.fetch_sub(1, Ordering::Relaxed) == 0
    {
        // SAFETY: only a child of the test has such a number.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    }
}

const _: () = {
    assert!(RECORD + MOST_CHANGES * 16 <= MEMBERS);
    assert!(size_of::<libc::pthread_mutex_t>() <= NAMESPACE - LOCK);
    assert!(HEADS + LISTS * 8 <= FIRST);
};
