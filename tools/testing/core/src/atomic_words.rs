// SPDX-License-Identifier: GPL-2.0

//! Words for labyrinths on the host.

use std::{
    cell::Cell,
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use genp_core::labyrinth::Word;

/// A word of several threads, with the instructions that the module uses.
#[derive(Debug, Default)]
pub struct HostWord(AtomicU64);

impl Word for HostWord {
    #[inline]
    fn load(&self) -> u64 {
        self.0.load(SeqCst)
    }

    #[inline]
    fn set(&self, bit: u32) -> bool {
        self.0.fetch_or(1 << bit, SeqCst) & (1 << bit) != 0
    }

    #[inline]
    fn clear(&self, bit: u32) -> bool {
        self.0.fetch_and(!(1 << bit), SeqCst) & (1 << bit) != 0
    }

    #[inline]
    fn observe(&self) -> u64 {
        self.0.fetch_add(0, SeqCst)
    }
}

/// What happens right before each access to a [`Watched`] word.
pub trait Watch {
    /// An access is about to happen.
    fn access();
}

/// A word of one thread that announces each access: to count them, or to let another
/// call interrupt.
#[derive(Debug, Default)]
pub struct Watched<W>(Cell<u64>, PhantomData<W>);

impl<W: Watch> Watched<W> {
    fn access(&self, change: impl FnOnce(u64) -> u64) -> u64 {
        W::access();
        let old = self.0.get();
        self.0.set(change(old));
        old
    }
}

impl<W: Watch> Word for Watched<W> {
    fn load(&self) -> u64 {
        self.access(|word| word)
    }

    fn set(&self, bit: u32) -> bool {
        self.access(|word| word | (1 << bit)) & (1 << bit) != 0
    }

    fn clear(&self, bit: u32) -> bool {
        self.access(|word| word & !(1 << bit)) & (1 << bit) != 0
    }

    fn observe(&self) -> u64 {
        self.access(|word| word)
    }
}
