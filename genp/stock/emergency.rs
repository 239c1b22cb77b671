// SPDX-License-Identifier: GPL-2.0

//! The module's emergency stock, for calls that ask for it by a flag.
//!
//! Its frames belong to no partition and stay in their slots. Each slot records which
//! partition has its page, so that only that one can give it back.

use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Full, Release},
};

use super::{Refusal, Stock, MAX_POISONED};
use crate::genp::{
    core::{accounting::PartitionId, count::Count, watermarks::Watermarks},
    frames::free::FreeFrames,
    sys::{alloc_flags::SETUP_FLAGS, cpu::CurrentCpu, page::FrameTable, table},
};

/// No partition.
const NONE: u32 = u32::MAX;

/// The emergency stock.
pub(crate) struct Emergency {
    stock: Pin<KBox<Stock>>,
    takers: KVVec<Atomic<u32>>,
}

impl Emergency {
    /// Takes `pages` of the free frames, before anything else does. Context: thread, may
    /// sleep.
    pub(crate) fn new(pages: u32, free_frames: &FreeFrames) -> Result<Self> {
        let watermarks = Watermarks::new(pages, 0, 0).ok_or(EINVAL)?;
        let stock = Stock::new(watermarks, SETUP_FLAGS)?;
        let takers = (0..pages).map(|_| Atomic::new(NONE));
        let takers = table::collect(takers, SETUP_FLAGS)?;
        {
            let mut filling = stock.filling.lock();
            while filling.owned < pages {
                let taken = free_frames.take(pages.minus(filling.owned), 0, true);
                let mut list = taken.list;
                // Frames that just came from the kernel have no memory errors.
                if list.is_empty() || taken.poisoned > 0 {
                    return Err(ENOMEM);
                }
                while let Some(frame) = free_frames.pop(&mut list) {
                    let slot = stock.fill(&mut filling, free_frames.frames(), frame);
                    stock.open(slot.ok_or(EINVAL)?);
                }
            }
        }
        Ok(Self { stock, takers })
    }

    /// The number of its pages.
    pub(crate) fn pages(&self) -> u32 {
        self.stock.watermarks().pages()
    }

    /// The number of free pages; exact while nobody takes or gives. Context: any.
    pub(crate) fn free(&self) -> u32 {
        self.stock.level().free()
    }

    /// Takes a page without a memory error; returns its slot. One with an error stays taken,
    /// by nobody. Context: any.
    fn take_sound(&self, frames: &FrameTable, cpu: &CurrentCpu) -> Option<u32> {
        // loop-bound: MAX_POISONED
        (0..MAX_POISONED)
            .map_while(|_| self.stock.take(cpu).0)
            .find(|slot| {
                let frame = self.stock.frame(*slot);
                frame.is_some_and(|frame| !frames.poisoned(frame))
            })
    }

    /// Takes a page for a partition; returns its address. It may contain data of another
    /// partition. Context: any.
    pub(crate) fn take(
        &self,
        id: PartitionId,
        frames: &FrameTable,
        cpu: &CurrentCpu,
    ) -> Option<usize> {
        let slot = self.take_sound(frames, cpu)?;
        // ORDERING: pairs with the cmpxchg in `give`. Its caller has the page, which this
        // returns after the store.
        self.takers.get(slot as usize)?.store(id.0, Release);
        self.stock.page(slot)
    }

    /// Takes back a page from a partition, if it is in this slot. Context: any.
    pub(crate) fn give(
        &self,
        id: PartitionId,
        slot: usize,
        page: usize,
        cpu: &CurrentCpu,
    ) -> Result<(), Refusal> {
        let taker = self.takers.get(slot).ok_or(Refusal::Foreign)?;
        if !self.stock.holds(slot, page) {
            return Err(Refusal::Foreign);
        }
        // If two callers give it back at once, one gets Stale.
        match taker.cmpxchg(id.0, NONE, Full) {
            // CAST: there are fewer takers than 2^32.
            Ok(_) => self.stock.give(slot as u32, cpu).map(|_| ()),
            Err(NONE) => Err(Refusal::Stale),
            Err(_) => Err(Refusal::Foreign),
        }
    }
}
