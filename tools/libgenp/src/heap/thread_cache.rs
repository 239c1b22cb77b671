// SPDX-License-Identifier: MIT OR Apache-2.0

//! Blocks that were freed and wait to be had again, unmerged: what makes most calls
//! a few instructions without a lock.
//!
//! Each seat of a thread has a stack of blocks for each class of sizes. Only who has
//! the seat puts blocks there; anyone may take a whole stack away when memory runs
//! out, so that no block is lost to the others. A stack is one word: its first
//! block, and in the four low bits how many there are. Who changes it takes it
//! whole, by one exchange, and finds it empty if somebody else was faster:
//!
//! ```text
//!   owner                          who needs memory
//!   stack = swap(word, 0)
//!                                  stack = swap(word, 0)   empty: leaves it
//!   store(word, stack - first)
//!                                  stack = swap(word, 0)   has it all
//! ```
//!
//! As nobody else puts blocks there, the owner's store overwrites nothing.

use std::{
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::thread::{self, SEATS, STRIDE};

/// The largest block that waits in a stack.
pub(super) const LARGEST: usize = 4096;
/// What sizes are counted in.
const GRAIN: usize = 16;
/// Sizes up to this have a class each; above, there are 16 to each doubling.
const EXACT: usize = 256;
/// Classes there are: of 0 to 16 grains, and of four doublings.
pub(super) const CLASSES: usize = EXACT / GRAIN + 1 + 4 * 16;
/// Blocks in a stack, at most: what fits in the low bits of an address, halved so
/// that emptying one stays short.
const DEPTH: usize = 8;
/// The bits of a stack that count its blocks.
const COUNT: usize = GRAIN - 1;
/// Of a heap, the part that one stack may hold back.
const SHARE: usize = 1024;

/// Bytes of the blocks of a class.
const fn bytes_of(class: usize) -> usize {
    if class <= EXACT / GRAIN {
        return class * GRAIN;
    }
    let above = class - EXACT / GRAIN - 1;
    let step = GRAIN << (above / 16);
    (EXACT << (above / 16)) + (above % 16 + 1) * step
}

/// Bytes of the blocks of each class. One of nothing has room to wait in a stack.
pub(super) static BYTES: [u16; CLASSES] = {
    let mut table = [GRAIN as u16; CLASSES];
    let mut class = 1;
    while class < CLASSES {
        table[class] = bytes_of(class) as u16;
        class += 1;
    }
    table
};

/// The class of each number of grains.
static CLASS: [u8; LARGEST / GRAIN + 1] = {
    let mut table = [0; LARGEST / GRAIN + 1];
    let (mut grains, mut class) = (0, 0);
    while grains < table.len() {
        if grains * GRAIN > bytes_of(class) {
            class += 1;
        }
        table[grains] = class as u8;
        grains += 1;
    }
    table
};

/// The class whose blocks have room for `size` bytes.
#[inline]
pub(super) fn class_of(size: usize) -> Option<usize> {
    if size > LARGEST {
        return None;
    }
    let class = CLASS[(size + GRAIN - 1) >> GRAIN.ilog2()] as usize;
    // SAFETY: the table has no other.
    unsafe { std::hint::assert_unchecked(class < CLASSES) };
    Some(class)
}

/// The stacks of a seat.
#[repr(align(1024))]
struct Seat {
    stacks: [AtomicUsize; CLASSES],
    /// How many blocks each may hold: none, of those who have no seat.
    most: [u8; CLASSES],
}

const _: () = assert!(size_of::<Seat>() == STRIDE);

/// The stacks of a heap.
pub(super) struct Quick {
    /// The first is of those without a seat, and always empty; then one for each
    /// seat.
    seats: Box<[Seat; SEATS + 1]>,
    /// Full stacks on their way from threads that free to threads that allocate.
    depot: [AtomicUsize; CLASSES],
}

impl Quick {
    /// For a heap of this many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let most = |seat: usize, class: usize| match seat {
            0 => 0,
            _ => (bytes / SHARE / BYTES[class] as usize).min(DEPTH) as u8,
        };
        let seat = |seat| Seat {
            stacks: [const { AtomicUsize::new(0) }; CLASSES],
            most: std::array::from_fn(|class| most(seat, class)),
        };
        Self {
            seats: Box::new(std::array::from_fn(seat)),
            depot: [const { AtomicUsize::new(0) }; CLASSES],
        }
    }

    /// The caller's stacks.
    #[inline]
    fn mine(&self) -> &Seat {
        // SAFETY: a seat is at most SEATS, and STRIDE the size of what one has.
        unsafe { &*self.seats.as_ptr().byte_add(thread::seat()) }
    }

    /// A block of this class, if one waits here.
    #[inline]
    pub(super) fn pop(&self, class: usize) -> Option<NonNull<u8>> {
        let word = &self.mine().stacks[class];
        // Acquire: pairs with the Release of whoever left the stack there: this
        // thread, or the last one on this seat.
        let stack = word.swap(0, Ordering::Acquire);
        let first = NonNull::new((stack & !COUNT) as *mut u8)?;
        // SAFETY: a block in a stack is nobody else's, and its first word is the
        // rest of the stack, written by `push`.
        let rest = unsafe { first.cast::<usize>().read() };
        // Release: pairs with the swap of `take`.
        word.store(rest, Ordering::Release);
        Some(first)
    }

    /// Leaves a block of this class here: false if there are enough, or if the
    /// caller has no seat.
    ///
    /// # Safety
    ///
    /// The block is the caller's, has at least 16 bytes, and is aligned to 16.
    #[inline]
    pub(super) unsafe fn push(&self, class: usize, block: NonNull<u8>) -> bool {
        let mine = self.mine();
        let word = &mine.stacks[class];
        // Acquire: as in `pop`.
        let stack = word.swap(0, Ordering::Acquire);
        let count = stack & COUNT;
        if count >= mine.most[class] as usize {
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

    /// Sends the caller's stack of a class, which is full, to whoever needs it: false
    /// if one is under way already. After that, `push` has room.
    #[inline]
    pub(super) fn send(&self, class: usize) -> bool {
        let depot = &self.depot[class];
        if thread::seat() == 0 || depot.load(Ordering::Relaxed) != 0 {
            return false;
        }
        let word = &self.mine().stacks[class];
        // Acquire: as in `pop`.
        let stack = word.swap(0, Ordering::Acquire);
        let sent = stack != 0
            && depot
                // Release: pairs with the swap of `receive`.
                .compare_exchange(0, stack, Ordering::Release, Ordering::Relaxed)
                .is_ok();
        if !sent {
            // Release: as in `pop`.
            word.store(stack, Ordering::Release);
        }
        sent
    }

    /// A block of this class out of a stack that was sent. The rest of that is the
    /// caller's from here on.
    #[inline]
    pub(super) fn receive(&self, class: usize) -> Option<NonNull<u8>> {
        if thread::seat() == 0 || self.depot[class].load(Ordering::Relaxed) == 0 {
            return None;
        }
        // Acquire: pairs with `send`.
        let stack = self.depot[class].swap(0, Ordering::Acquire);
        // The caller's own stack is empty: it looked there first, and nobody else
        // puts blocks there.
        // Release: pairs with the swap of `pop`.
        self.mine().stacks[class].store(stack, Ordering::Release);
        self.pop(class)
    }

    /// Takes a stack away, for all memory is needed: the first of its blocks. `which`
    /// counts the places where stacks can be, up to [`Self::places`].
    pub(super) fn take(&self, which: usize) -> Option<NonNull<u8>> {
        let class = CLASSES - 1 - which % CLASSES;
        let word = match which / CLASSES {
            0 => &self.depot[class],
            seat => &self.seats.get(seat)?.stacks[class],
        };
        if word.load(Ordering::Relaxed) == 0 {
            return None;
        }
        // Acquire: pairs with the stores of `push`, `pop` and `send`.
        NonNull::new((word.swap(0, Ordering::Acquire) & !COUNT) as *mut u8)
    }

    /// How many places there are where stacks can be: those of seats that nobody
    /// ever had are none.
    pub(super) fn places() -> usize {
        (1 + thread::highest_seat()) * CLASSES
    }

    /// The block below this one, of a stack that was taken away.
    ///
    /// # Safety
    ///
    /// `block` came from [`Self::take`] or from here, and is not changed since.
    pub(super) unsafe fn below(block: NonNull<u8>) -> Option<NonNull<u8>> {
        // SAFETY: by the precondition, `push` wrote it.
        let rest = unsafe { block.cast::<usize>().read() };
        NonNull::new((rest & !COUNT) as *mut u8)
    }

    /// Blocks that wait, and their bytes: exact only while nobody allocates or frees.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let stacks = self.seats.iter().map(|seat| &seat.stacks);
        let (mut blocks, mut bytes) = (0, 0);
        for stacks in stacks.chain([&self.depot]) {
            for (class, stack) in stacks.iter().enumerate() {
                let count = stack.load(Ordering::Relaxed) & COUNT;
                blocks += count;
                bytes += count * BYTES[class] as usize;
            }
        }
        (blocks, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_for_its_sizes() {
        assert_eq!(class_of(LARGEST), Some(CLASSES - 1));
        assert_eq!(class_of(LARGEST + 1), None);
        assert_eq!(class_of(usize::MAX), None);
        for size in 0..=LARGEST {
            let class = class_of(size).unwrap();
            let bytes = bytes_of(class);
            assert!(bytes >= size && bytes % GRAIN == 0);
            // No more than a sixteenth, and what alignment takes, is lost.
            assert!(bytes - size < GRAIN.max(size / 16 + 1), "{size}: {bytes}");
            assert!(class == 0 || bytes_of(class - 1) < size);
        }
    }

    fn blocks(count: usize) -> Vec<NonNull<u8>> {
        let block = |_| NonNull::from(Box::leak(Box::new([0u128; 2]))).cast();
        (0..count).map(block).collect()
    }

    #[test]
    fn a_stack_gives_the_youngest_first_and_has_a_bound() {
        let quick = Quick::new(1 << 20);
        assert!(thread::seat() > 0 || thread::sit_down());
        let blocks = blocks(DEPTH + 1);
        for (i, &block) in blocks.iter().enumerate() {
            // SAFETY: memory of ours.
            assert_eq!(unsafe { quick.push(2, block) }, i < DEPTH);
        }
        assert_eq!(quick.waiting(), (DEPTH, DEPTH * 32));
        for &block in blocks[..DEPTH].iter().rev() {
            assert_eq!(quick.pop(2), Some(block));
        }
        assert_eq!(quick.pop(2), None);
    }

    #[test]
    fn what_waits_can_be_taken_away() {
        let quick = Quick::new(1 << 20);
        assert!(thread::seat() > 0 || thread::sit_down());
        let blocks = blocks(3);
        for &block in &blocks {
            // SAFETY: memory of ours.
            assert!(unsafe { quick.push(2, block) });
        }
        let mut taken = vec![];
        for which in 0..Quick::places() {
            let mut next = quick.take(which);
            while let Some(block) = next {
                taken.push(block);
                // SAFETY: from `take`.
                next = unsafe { Quick::below(block) };
            }
        }
        taken.reverse();
        assert_eq!(taken, blocks);
        assert_eq!(quick.pop(2), None);
    }

    #[test]
    fn a_full_stack_goes_to_another_thread() {
        let quick = Quick::new(1 << 20);
        assert!(thread::seat() > 0 || thread::sit_down());
        let block = blocks(1)[0];
        // SAFETY: memory of ours.
        assert!(unsafe { quick.push(2, block) });
        assert!(quick.send(2) && !quick.send(2));
        let address = block.as_ptr() as usize;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(quick.receive(2), None);
                assert!(thread::seat() > 0 || thread::sit_down());
                let had = quick.receive(2).map(|block| block.as_ptr() as usize);
                assert_eq!(had, Some(address));
                assert_eq!(quick.receive(2), None);
            });
        });
    }
}
