// SPDX-License-Identifier: MIT OR Apache-2.0

//! The thread cache: freed blocks, not merged, that are allocated again by a few
//! instructions without a lock.
//!
//! Each thread slot has a stack of blocks for each size class, which is one word:
//!
//! ```text
//!   changes (24 bits) | blocks (8) | the first block, in grains (32)
//! ```
//!
//! A block's note is the next block. The slot's owner pushes and pops blocks by
//! exchanging the word if it did not change. Whoever holds the lock of the heap takes all
//! blocks of any stack, at any time: a block is never out of reach. The number of changes
//! makes an owner that was interrupted between its look and its exchange notice that
//! others were there, including its own signal handlers.
//!
//! Before the stack, there is room for one more block, its top. Only the owner puts one
//! there, so that it need not lock the bus for that, and a block that is freed and
//! allocated by turns costs one such operation instead of two. See [`top`].
//!
//! The blocks of all stacks together are limited, see [`super::grants`]; a stack has
//! blocks only while it has a limit.

mod chain;
mod exchange;
mod top;

use std::{
    io,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use super::{
    inherited,
    memory::{Checked, Damaged, Memory, State},
    size_class::{CLASSES, GRAIN},
    stacks::{Owned, Slot},
};
use crate::thread::{self, SLOTS};

const ONE_BLOCK: u64 = 1 << 32;
const ONE_CHANGE: u64 = 1 << 40;
const CHANGES: u64 = !(ONE_CHANGE - 1);

/// Blocks in a stack.
#[inline(always)]
fn blocks_in(stack: u64) -> usize {
    (stack >> 32) as u8 as usize
}

/// The first block of a stack, in grains.
#[inline(always)]
fn first_of(stack: u64) -> u32 {
    stack as u32
}

/// The stack with another number of changes, and another first block.
#[inline(always)]
fn changed(stack: u64, first: u32) -> u64 {
    (stack.wrapping_add(ONE_CHANGE) & !u64::from(u32::MAX)) | u64::from(first)
}

/// A block of a stack, as an offset.
#[inline(always)]
fn offset(grains: u32) -> usize {
    grains as usize * GRAIN
}

/// Where a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: u8,
    pub(super) class: u8,
}

/// Blocks that were taken out of a stack.
pub(super) struct Taken {
    top: Option<usize>,
    first: u32,
    left: usize,
}

impl Taken {
    /// The next of them.
    pub(super) fn next(&mut self, memory: &Memory) -> Checked<Option<usize>> {
        if let Some(at) = self.top.take() {
            let whole = memory.read(at)? == memory.seal(at, State::Cached, 0);
            return whole.then_some(Some(at)).ok_or(Damaged);
        }
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let at = offset(self.first);
        let owner = memory.read(at)?;
        self.first = memory.note_if(at, State::Cached, owner).ok_or(Damaged)?;
        Ok(Some(at))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left == 0 && self.top.is_none()
    }
}

/// The cached blocks of a heap.
pub(super) struct ThreadCache {
    stacks: Owned,
}

impl ThreadCache {
    /// For a heap whose blocks begin in `length` bytes.
    pub(super) fn new(length: usize) -> io::Result<Self> {
        let stacks = Owned::new(length)?;
        inherited::enter(&stacks);
        Ok(Self { stacks })
    }

    /// The number of bytes that can have blocks.
    #[inline(always)]
    pub(super) fn length(&self) -> usize {
        self.stacks.length.load(Ordering::Relaxed)
    }

    /// Changes that. Context: the lock of the heap is held, and no block lies beyond.
    pub(super) fn set_length(&self, length: usize) {
        self.stacks.length.store(length, Ordering::Relaxed);
    }

    /// Makes it that of a forked child, whose handler emptied it. Context: such a child.
    pub(super) fn revive(&self, length: usize) {
        self.set_length(length);
        inherited::enter(&self.stacks);
    }

    /// The caller's stacks.
    #[inline(always)]
    fn own_slot(&self) -> &Slot {
        // SAFETY: `slot()` is at most SLOTS * STRIDE, a multiple of STRIDE, and STRIDE
        // is the size of an element of the SLOTS + 2.
        unsafe { &*self.stacks.slots.as_ptr().byte_add(thread::slot()) }
    }

    fn top(&self, place: Place) -> &AtomicU32 {
        &self.stacks.slots[place.slot as usize].tops[place.class as usize]
    }

    fn stack(&self, place: Place) -> &AtomicU64 {
        &self.stacks.slots[place.slot as usize].stacks[place.class as usize]
    }

    /// Pops a block of this class from the caller's stack. None also if somebody else
    /// changed that meanwhile.
    #[inline(always)]
    pub(super) fn pop(&self, memory: &Memory, class: usize) -> Option<usize> {
        let own = self.own_slot();
        if let Some(at) = top::take(&own.tops[class]) {
            // SAFETY: a block of ours.
            let owner = unsafe { memory.word_at(at) }.load(Ordering::Relaxed);
            if owner == memory.seal(at, State::Cached, 0) {
                return Some(at);
            }
            // Overwritten. It stays there, for `is_damaged`.
            top::put_back(&own.tops[class], at);
            return None;
        }
        // Acquire: pairs with `push`, also that of the slot's last owner.
        let stack = own.stacks[class].load(Ordering::Acquire);
        if blocks_in(stack) == 0 {
            return None;
        }
        let at = offset(first_of(stack));
        // SAFETY: only blocks are pushed. Another thread may have taken it and write
        // there: then the word changed.
        let owner = unsafe { memory.word_at(at) }.load(Ordering::Relaxed);
        let next = memory.note_if(at, State::Cached, owner)?;
        let popped = changed(stack, next) - ONE_BLOCK;
        // Acquire: as above.
        exchange::compare_exchange(&own.stacks[class], stack, popped, Ordering::Acquire)
            .then_some(at)
    }

    /// Whether a block that the caller would pop was overwritten. Context: the lock of the
    /// heap is held, so that no other thread takes it meanwhile.
    pub(super) fn is_damaged(&self, memory: &Memory, class: usize) -> Checked<bool> {
        let own = self.own_slot();
        if let Some(at) = top::look(&own.tops[class]) {
            return Ok(memory.read(at)? != memory.seal(at, State::Cached, 0)
                && top::look(&own.tops[class]) == Some(at));
        }
        let word = &own.stacks[class];
        let stack = word.load(Ordering::Acquire);
        if blocks_in(stack) == 0 {
            return Ok(false);
        }
        let at = offset(first_of(stack));
        let owner = memory.read(at)?;
        Ok(memory.note_if(at, State::Cached, owner).is_none()
            && word.load(Ordering::Relaxed) == stack)
    }

    /// Pushes a live block of this class: false if there is no room, and the block is live
    /// as before.
    ///
    /// # Safety
    ///
    /// The caller owns the block. `owner` is what its first word is.
    #[inline(always)]
    pub(super) unsafe fn push(&self, memory: &Memory, class: usize, at: usize, owner: u64) -> bool {
        let Ok(grains) = u32::try_from(at / GRAIN) else {
            return false;
        };
        let own = self.own_slot();
        let limit = own.limits[class].load(Ordering::Relaxed) as usize;
        if limit == 0 {
            return false;
        }
        // SAFETY: by the precondition.
        let first = unsafe { memory.word_at(at) };
        if let Some(filling) = top::begin(own, class, grains) {
            // Before others can see it.
            first.store(memory.seal(at, State::Cached, 0), Ordering::Relaxed);
            filling.fill();
            // Relaxed: if the limit was taken away this moment, the block is found here.
            if own.limits[class].load(Ordering::Relaxed) > 0 {
                return true;
            }
            if top::take(&own.tops[class]).is_some() {
                first.store(owner, Ordering::Relaxed);
                return false;
            }
            return true;
        }
        // Relaxed: nothing is followed from here. If it changed, the exchange fails.
        let stack = own.stacks[class].load(Ordering::Relaxed);
        if blocks_in(stack) + 1 >= limit {
            return false;
        }
        first.store(
            memory.seal(at, State::Cached, first_of(stack)),
            Ordering::Relaxed,
        );
        let pushed = changed(stack, grains) + ONE_BLOCK;
        // Release: pairs with `pop` and `take`; publishes the block's note.
        if exchange::compare_exchange(&own.stacks[class], stack, pushed, Ordering::Release) {
            return true;
        }
        first.store(owner, Ordering::Relaxed);
        false
    }

    /// The most blocks of a stack.
    pub(super) fn limit(&self, place: Place) -> usize {
        self.stacks.slots[place.slot as usize].limits[place.class as usize].load(Ordering::Relaxed)
            as usize
    }

    /// Raises the limit of a stack. Context: the lock of the heap is held.
    pub(super) fn set_limit(&self, place: Place, limit: usize) {
        self.stacks.slots[place.slot as usize].limits[place.class as usize]
            .store(limit.min(u8::MAX as usize) as u8, Ordering::Relaxed);
    }

    /// Takes all blocks of a stack and its top. Context: the lock of the heap is held.
    pub(super) fn take(&self, place: Place) -> Taken {
        Taken {
            top: top::take(self.top(place)),
            ..self.take_below(place)
        }
    }

    /// Takes all blocks of a stack, without its top.
    pub(super) fn take_below(&self, place: Place) -> Taken {
        // Acquire: pairs with `push`.
        let stack = self.stack(place).fetch_and(CHANGES, Ordering::Acquire);
        Taken {
            top: None,
            first: first_of(stack),
            left: blocks_in(stack),
        }
    }

    /// Takes all blocks of a stack and its limit: nothing is pushed there any longer, but
    /// for a top at this very moment. Context: the lock of the heap is held.
    pub(super) fn retire(&self, place: Place) -> Taken {
        self.set_limit(place, 0);
        // AcqRel: pairs with `push`. An exchange of one that looked before fails, and one
        // that looks after sees the limit.
        self.stack(place).fetch_add(ONE_CHANGE, Ordering::AcqRel);
        self.take(place)
    }

    /// Whether a stack has no block.
    pub(super) fn is_empty(&self, place: Place) -> bool {
        self.blocks(place) == 0 && top::look(self.top(place)).is_none()
    }

    /// Blocks of a stack, without its top.
    pub(super) fn blocks(&self, place: Place) -> usize {
        blocks_in(self.stack(place).load(Ordering::Relaxed))
    }

    /// The blocks of a stack, as far as they can be followed while others change it.
    pub(super) fn look<'a>(
        &self,
        memory: &'a Memory,
        place: Place,
    ) -> impl Iterator<Item = usize> + 'a {
        let stack = self.stack(place).load(Ordering::Acquire);
        let mut blocks = Taken {
            top: top::look(self.top(place)),
            first: first_of(stack),
            left: blocks_in(stack),
        };
        std::iter::from_fn(move || blocks.next(memory).ok()?)
    }

    /// A number that mostly differs after the stack was used.
    pub(super) fn changes(&self, place: Place) -> u32 {
        let changes = (self.stack(place).load(Ordering::Relaxed) >> 40) as u32;
        changes ^ (self.top(place).load(Ordering::Relaxed) << 8)
    }

    /// The stack of the caller of this class, if it has a slot.
    pub(super) fn own(class: usize) -> Option<Place> {
        let slot = thread::slot() / thread::STRIDE;
        (slot > 0).then_some(Place {
            slot: slot as u8,
            class: class as u8,
        })
    }

    /// The stack of this class that belongs to nobody.
    pub(super) fn depot(class: usize) -> Place {
        Place {
            slot: SLOTS as u8 + 1,
            class: class as u8,
        }
    }
}

impl Drop for ThreadCache {
    fn drop(&mut self) {
        inherited::remove(&self.stacks);
    }
}

const _: () = assert!(CLASSES <= u8::MAX as usize);
const _: () = assert!(SLOTS < u8::MAX as usize);

#[cfg(test)]
mod tests;
