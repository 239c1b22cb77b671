// SPDX-License-Identifier: MIT OR Apache-2.0

//! The block in front of a stack: a number of grains and one more, or 0 for none. Only the
//! owner of the slot makes it another than 0; everybody may make it 0.
//!
//! So the owner fills one that is 0 by a plain store. What may come between its look and
//! its store is a signal handler of its own: that one is told, and leaves the tops alone.
//! An exchange without a locked bus would not do: one that fails writes back what it
//! read, and what another thread took meanwhile would be there again.

use std::sync::atomic::{compiler_fence, AtomicU32, Ordering};

use super::exchange;
use crate::heap::{size_class::GRAIN, stacks::Slot};

fn block(top: u32) -> Option<usize> {
    Some((top as usize).checked_sub(1)? * GRAIN)
}

/// Takes the block away.
#[inline(always)]
pub(super) fn take(top: &AtomicU32) -> Option<usize> {
    // Relaxed: mostly there is none. It is taken by the exchange.
    if top.load(Ordering::Relaxed) == 0 {
        return None;
    }
    // Acquire: pairs with `Filling::fill` and `put_back`.
    block(exchange::empty(top, Ordering::Acquire))
}

/// The block that is there.
pub(super) fn look(top: &AtomicU32) -> Option<usize> {
    block(top.load(Ordering::Acquire))
}

/// While it is there, no signal handler of this thread fills a top of the slot. One that is
/// left by siglongjmp() leaves it there for good: then blocks go to the stacks.
pub(super) struct Filling<'a> {
    own: &'a Slot,
    class: usize,
    top: u32,
}

/// Before [`Filling::fill`] with the block of so many grains: None if there is a block, or if
/// this is a handler that interrupted its own thread there. Context: the owner of the slot.
#[inline(always)]
pub(super) fn begin(own: &Slot, class: usize, grains: u32) -> Option<Filling<'_>> {
    let top = grains.checked_add(1)?;
    // Relaxed, all of them: words that nobody but this thread makes another than 0. Its
    // own handlers see its stores in the order of the program, which the fences keep.
    if own.tops[class].load(Ordering::Relaxed) != 0 || own.filling.load(Ordering::Relaxed) != 0 {
        return None;
    }
    own.filling.store(1, Ordering::Relaxed);
    let filling = Filling { own, class, top };
    compiler_fence(Ordering::SeqCst);
    // A handler may have come before.
    (own.tops[class].load(Ordering::Relaxed) == 0).then_some(filling)
}

impl Filling<'_> {
    #[inline(always)]
    pub(super) fn fill(&self) {
        // Release: pairs with `take`.
        self.own.tops[self.class].store(self.top, Ordering::Release);
    }
}

impl Drop for Filling<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        self.own.filling.store(0, Ordering::Relaxed);
    }
}

/// Puts a block back that was taken, unless there is another one by now.
#[cold]
pub(super) fn put_back(top: &AtomicU32, at: usize) {
    let Ok(old) = u32::try_from(at / GRAIN + 1) else {
        return;
    };
    // Release: pairs with `take`.
    let _ = top.compare_exchange(0, old, Ordering::Release, Ordering::Relaxed);
}
