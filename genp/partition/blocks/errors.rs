// SPDX-License-Identifier: GPL-2.0

//! Memory errors in contiguous blocks. A block with one is passed over when it is taken,
//! removed as soon as no driver has it, and replaced while the pool has another one.

use super::PartitionBlocks;
use crate::genp::{
    pool::blocks::{block_poisoned, frames_of},
    stock::{Stock, MAX_POISONED},
    sys::cpu::{CurrentCpu, PreemptGuard},
};

impl PartitionBlocks {
    /// The slot of the block to have for one that was taken: its own, or that of another
    /// one if it has a memory error. Context: any. Constant; while memory errors are looked
    /// for, or drivers have blocks with some, linear in the pages.
    pub(crate) fn sound(&self, order: u32, slot: usize) -> Option<usize> {
        let pool = self.account.pool();
        match pool.errors.pending() || self.bad.load() != 0 {
            true => self.replace(order, slot),
            false => Some(slot),
        }
    }

    /// As [`Self::sound`], with a look at each page.
    #[cold]
    #[inline(never)]
    fn replace(&self, order: u32, mut slot: usize) -> Option<usize> {
        let stock = self.stock(order)?;
        let frames = self.account.pool().free_frames.frames();
        // loop-bound: MAX_POISONED
        for _ in 0..MAX_POISONED {
            // CAST: there are fewer slots than 2^32.
            let first = stock.frame(slot as u32)?;
            if !block_poisoned(frames, first, order) {
                return Some(slot);
            }
            let guard = PreemptGuard::begin();
            self.set_aside(stock, first, &guard);
            slot = stock.take(&guard).0? as usize;
        }
        // What is left was not looked at: nobody gets it now.
        let _ = stock.give(slot as u32, &PreemptGuard::begin());
        None
    }

    /// The address of the `struct page` of the first page of a block that the caller has.
    /// Context: any.
    pub(crate) fn page(&self, order: u32, slot: usize) -> Option<usize> {
        // CAST: there are fewer slots than 2^32.
        self.stock(order)?.page(slot as u32)
    }

    /// Sets a block aside that was taken and is given to nobody. Context: any.
    fn set_aside(&self, stock: &Stock, first: u32, cpu: &CurrentCpu) {
        let pool = self.account.pool();
        pool.free_frames.frames().set_aside(first);
        stock.set_aside(cpu);
        self.aside.store(1);
        // By the refill thread: errors cannot be reported in NMI.
        pool.pending_refills.put(self.account.id(), cpu);
    }

    /// Has blocks removed that were set aside. Context: the refill thread.
    pub(in crate::genp::partition) fn report_aside(&self) {
        if self.aside.load() != 0 {
            self.account.pool().errors.report();
        }
    }

    /// Finds blocks with memory errors: calls `tell` for each page that was not found before,
    /// removes those that no driver has, and gets others for them. Calls `pause` between two
    /// pieces of the work. Linear in the pages. Context: the thread that tells of errors; may
    /// sleep.
    pub(in crate::genp::partition) fn find_errors(&self, pause: impl Fn(), tell: impl Fn()) {
        // Before the look: what is set aside afterwards is reported anew.
        self.aside.store(0);
        let mut bad = 0;
        for (order, stock) in self.stocks() {
            for slot in 0..stock.watermarks().limit() {
                bad |= u64::from(!self.check(stock, order, slot, &tell));
                pause();
            }
        }
        self.bad.store(bad);
    }

    /// Looks at the block in a slot, and removes it if it has errors; whether the slot has
    /// none with errors then.
    fn check(&self, stock: &Stock, order: u32, slot: u32, tell: impl Fn()) -> bool {
        let pool = self.account.pool();
        let frames = pool.free_frames.frames();
        let mut filling = stock.filling.lock();
        let Some(first) = stock.frame(slot) else {
            return true;
        };
        if !block_poisoned(frames, first, order) {
            return true;
        }
        for frame in frames_of(first, order) {
            if self.account.newly_poisoned(frame) {
                tell();
            }
        }
        let removed = match frames.is_aside(first) {
            true => {
                stock.withdraw_aside(&mut filling, slot);
                true
            }
            false => stock.withdraw_free(&mut filling, slot),
        };
        drop(filling);
        if removed {
            self.account.give_block(order, first);
            let another = pool.blocks.take_another(order, self.account.node(), frames);
            if let Some(another) = another {
                self.put_in(stock, order, another);
            }
        }
        removed
    }
}
