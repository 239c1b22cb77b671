// SPDX-License-Identifier: MIT OR Apache-2.0

//! Moves many blocks into a stack, or out of it, at a time. Context of all of these: the lock
//! of the heap is held, and the stack is the depot or the caller's, so that nobody else pushes
//! or pops there but a signal handler of the caller.

use std::sync::atomic::Ordering;

use super::{blocks_in, changed, first_of, Place, Taken, ThreadCache, ONE_BLOCK};
use crate::heap::{
    memory::{Checked, Damaged, Memory, State},
    size_class::GRAIN,
};

impl ThreadCache {
    /// Makes `blocks` that are linked from `first` on, in grains, all there are in a stack: false if it
    /// is not empty.
    pub(in crate::heap) fn hang(&self, to: Place, first: u32, blocks: usize) -> bool {
        let word = self.stack(to);
        let old = word.load(Ordering::Relaxed);
        let new = changed(old, first) + blocks as u64 * ONE_BLOCK;
        // Release: pairs with `pop`.
        blocks_in(old) == 0
            && word
                .compare_exchange(old, new, Ordering::Release, Ordering::Relaxed)
                .is_ok()
    }

    /// Moves all blocks of a stack, without its top, to another one, which is empty.
    pub(in crate::heap) fn pour(&self, memory: &Memory, from: Place, to: Place) -> Checked<()> {
        if self.blocks(to) > 0 || self.blocks(from) >= self.limit(to) {
            return Ok(());
        }
        let taken = self.take_below(from);
        match self.hang(to, taken.first, taken.left) {
            true => Ok(()),
            false => self.restore(memory, from, taken),
        }
    }

    /// Puts what is left of the blocks of a stack back there.
    pub(in crate::heap) fn put_back(
        &self,
        memory: &Memory,
        to: Place,
        taken: Taken,
    ) -> Checked<()> {
        match taken.left == 0 || self.hang(to, taken.first, taken.left) {
            true => Ok(()),
            false => self.restore(memory, to, taken),
        }
    }

    /// Puts blocks back on a stack, one by one.
    fn restore(&self, memory: &Memory, to: Place, mut taken: Taken) -> Checked<()> {
        let word = self.stack(to);
        while let Some(at) = taken.next(memory)? {
            let put = |stack| {
                let note = memory.seal(at, State::Cached, first_of(stack));
                memory.write(at, note).ok()?;
                Some(changed(stack, (at / GRAIN) as u32) + ONE_BLOCK)
            };
            // Only a signal handler of ours makes it fail.
            word.fetch_update(Ordering::Release, Ordering::Relaxed, put)
                .map_err(|_| Damaged)?;
        }
        Ok(())
    }
}
