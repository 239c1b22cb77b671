// SPDX-License-Identifier: MIT OR Apache-2.0

//! The thread cache: freed blocks, not merged, that are allocated again by a few
//! instructions without a lock.
//!
//! Each thread slot has a stack of blocks for each size class. Only the slot's owner
//! pushes blocks; any thread may take a whole stack when memory runs out, so that
//! cached blocks are not lost to others. A stack is one word: the address of its
//! first block, with the number of blocks in the four low bits. To change a stack, its
//! owner takes all of it by one exchange and leaves BUSY there:
//!
//! ```text
//!   owner                          reclaiming thread
//!   stack = swap(word, BUSY)
//!                                  BUSY: skips it
//!   store(word, stack - first)
//!                                  cas(word, stack, 0)   takes all of it
//! ```
//!
//! No other thread pushes blocks there, so the owner's store overwrites nothing. A
//! signal handler that interrupts the owner in between finds BUSY as well, and leaves
//! the stack alone.
//!
//! A full stack moves from a thread that frees to one that allocates through the
//! magazine of its class (after Bonwick's magazine depot).

use std::{
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    inherited,
    size_class::{BYTES, CLASSES, GRAIN},
    stacks::{Slot, Stacks},
};
use crate::thread::{self, SLOTS};

/// The most blocks in a stack: half of what the low bits of an address can count,
/// so that emptying a stack stays short.
const DEPTH: usize = 8;
/// The bits of a stack that count its blocks.
const COUNT: usize = GRAIN - 1;
/// A stack that its owner is changing: no address, and more blocks than any has.
const BUSY: usize = COUNT;
/// A stack holds at most this fraction of the heap.
const SHARE: usize = 1024;

/// The cached blocks of a heap.
pub(super) struct ThreadCache {
    stacks: Box<Stacks>,
}

impl ThreadCache {
    /// For a heap of this many bytes. Blocks can be in `length` of them.
    pub(super) fn new(bytes: usize, length: usize) -> Self {
        let limit = |slot: usize, class: usize| match slot {
            0 => 0,
            _ => (bytes / SHARE / BYTES[class] as usize).min(DEPTH) as u8,
        };
        let slot = |slot| Slot {
            stacks: [const { AtomicUsize::new(0) }; CLASSES],
            limit: std::array::from_fn(|class| limit(slot, class)),
        };
        let stacks = Box::new(Stacks {
            slots: std::array::from_fn(slot),
            magazines: [const { AtomicUsize::new(0) }; CLASSES],
            length: AtomicUsize::new(length),
        });
        inherited::enter(&stacks);
        Self { stacks }
    }

    /// The number of bytes that can have blocks.
    #[inline(always)]
    pub(super) fn length(&self) -> usize {
        self.stacks.length.load(Ordering::Relaxed)
    }

    /// The caller's stacks.
    #[inline]
    fn own_slot(&self) -> &Slot {
        // SAFETY: `slot()` is at most SLOTS * STRIDE, a multiple of STRIDE, and STRIDE
        // is the size of an element of the SLOTS + 1.
        unsafe { &*self.stacks.slots.as_ptr().byte_add(thread::slot()) }
    }

    /// Pops a block of this class.
    #[inline]
    pub(super) fn pop(&self, class: usize) -> Option<NonNull<u8>> {
        let word = &self.own_slot().stacks[class];
        // Acquire: pairs with the Release of the last `push`, `pop`, `send` or `receive`,
        // by this thread or by the slot's last owner.
        let stack = word.swap(BUSY, Ordering::Acquire);
        let Some(first) = NonNull::new((stack & !COUNT) as *mut u8) else {
            // Empty, or still BUSY.
            word.store(stack, Ordering::Release);
            return None;
        };
        // SAFETY: the swap took the stack, so nothing else refers to its blocks; the
        // first word of a block is the rest of the stack, written by `push`.
        let rest = unsafe { first.cast::<usize>().read() };
        // Release: pairs with the swap of `take`.
        word.store(rest, Ordering::Release);
        Some(first)
    }

    /// Pushes a block of this class: false if the stack is full or the caller has no
    /// slot.
    ///
    /// # Safety
    ///
    /// The caller owns the block, which has at least 16 bytes and is aligned to 16.
    #[inline]
    pub(super) unsafe fn push(&self, class: usize, block: NonNull<u8>) -> bool {
        let own = self.own_slot();
        let word = &own.stacks[class];
        // Acquire: as in `pop`.
        let stack = word.swap(BUSY, Ordering::Acquire);
        // More than any limit if it was BUSY.
        let count = stack & COUNT;
        if count >= own.limit[class] as usize {
            // Release: as in `pop`.
            word.store(stack, Ordering::Release);
            return false;
        }
        // SAFETY: by the precondition.
        unsafe { block.cast::<usize>().write(stack) };
        // Release: pairs with the swaps of `pop` and `take`; publishes the rest of
        // the stack.
        word.store(block.as_ptr() as usize + count + 1, Ordering::Release);
        true
    }

    /// Moves the caller's full stack of a class into the magazine: false if that is in
    /// use. After that, `push` has room.
    #[inline]
    pub(super) fn send(&self, class: usize) -> bool {
        let magazine = &self.stacks.magazines[class];
        if thread::slot() == 0 || magazine.load(Ordering::Relaxed) != 0 {
            return false;
        }
        let word = &self.own_slot().stacks[class];
        // Acquire: as in `pop`.
        let stack = word.swap(BUSY, Ordering::Acquire);
        let sent = stack & !COUNT != 0
            && magazine
                // Release: pairs with the swap of `receive`.
                .compare_exchange(0, stack, Ordering::Release, Ordering::Relaxed)
                .is_ok();
        // Release: as in `pop`.
        word.store(if sent { 0 } else { stack }, Ordering::Release);
        sent
    }

    /// Moves the magazine of a class into the caller's stack and pops a block of it.
    #[inline]
    pub(super) fn receive(&self, class: usize) -> Option<NonNull<u8>> {
        let magazine = &self.stacks.magazines[class];
        if thread::slot() == 0 || magazine.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let word = &self.own_slot().stacks[class];
        // Acquire: as in `pop`. The caller found its own stack empty, but a signal
        // handler of its own may have filled it, or be what runs here.
        word.compare_exchange(0, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        // Acquire: pairs with `send`.
        let stack = magazine.swap(0, Ordering::Acquire);
        // Release: pairs with the swap of `pop`.
        word.store(stack, Ordering::Release);
        self.pop(class)
    }

    /// The stack of this number, below [`Self::stacks`].
    fn stack(&self, which: usize) -> &AtomicUsize {
        let class = CLASSES - 1 - which % CLASSES;
        match which / CLASSES {
            0 => &self.stacks.magazines[class],
            slot => &self.stacks.slots[slot.min(SLOTS)].stacks[class],
        }
    }

    /// Whether a stack has nothing to take, for now.
    pub(super) fn is_empty(&self, which: usize) -> bool {
        self.stack(which).load(Ordering::Relaxed) & !COUNT == 0
    }

    /// Takes a whole stack, to reclaim its memory: returns its first block.
    pub(super) fn take(&self, which: usize) -> Option<NonNull<u8>> {
        let word = self.stack(which);
        let stack = word.load(Ordering::Relaxed);
        // None if it is empty, or BUSY.
        let first = NonNull::new((stack & !COUNT) as *mut u8)?;
        // Acquire: pairs with the stores of `push`, `pop` and `send`. If it changed, its
        // owner uses it now.
        word.compare_exchange(stack, 0, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        Some(first)
    }

    /// The number of stacks, without those of slots that were never used.
    pub(super) fn stacks() -> usize {
        (1 + thread::highest_slot()) * CLASSES
    }

    /// The block after this one in a stack that was taken.
    ///
    /// # Safety
    ///
    /// `block` came from [`Self::take`] or from this function and was not changed since.
    pub(super) unsafe fn next_in_stack(block: NonNull<u8>) -> Option<NonNull<u8>> {
        // SAFETY: by the precondition, `push` wrote it.
        let rest = unsafe { block.cast::<usize>().read() };
        NonNull::new((rest & !COUNT) as *mut u8)
    }

    /// The number of cached blocks and of their bytes: exact only while no thread
    /// allocates or frees.
    pub(super) fn cached(&self) -> (usize, usize) {
        let stacks = self.stacks.slots.iter().map(|slot| &slot.stacks);
        let (mut blocks, mut bytes) = (0, 0);
        for stacks in stacks.chain([&self.stacks.magazines]) {
            for (class, stack) in stacks.iter().enumerate() {
                let stack = stack.load(Ordering::Relaxed);
                let count = if stack == BUSY { 0 } else { stack & COUNT };
                blocks += count;
                bytes += count * BYTES[class] as usize;
            }
        }
        (blocks, bytes)
    }
}

impl Drop for ThreadCache {
    fn drop(&mut self) {
        inherited::remove(&self.stacks);
    }
}

#[cfg(test)]
mod tests;
