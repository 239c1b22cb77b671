// SPDX-License-Identifier: GPL-2.0

//! Atomic stocks: pages set aside for contexts where nothing else gives any.
//!
//! A stock has slots, as many as pages it may grow to. A slot has a frame or none; the
//! labyrinth knows which slots have a free one. Taking and giving go to the labyrinth
//! alone; which frame is in which slot changes only for slots whose frame is taken out
//! of the labyrinth, by who took it.
//!
//! Lock order: `filling` is taken with no raw lock held, and before the desk's.

mod emergency;
mod pending;
mod per_cpu_counter;
mod slots;

use kernel::prelude::*;

use crate::genp::{
    core::{labyrinth::Labyrinth, watermarks::Watermarks},
    sys::{
        atomic::InlineAtomic,
        cpu::{CurrentCpu, PreemptGuard},
        lock::{new_pi_mutex, PiMutex},
        page::FrameTable,
    },
};
pub(crate) use emergency::Emergency;
pub(crate) use pending::PendingRefills;
use per_cpu_counter::PerCpuCounter;
use slots::Slots;

/// Why a page was not taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not one of this stock's, or was not taken by this partition.
    Foreign,
    /// It was given back before.
    Stale,
}

/// What changed with a take or a give that somebody must look after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// Nothing.
    Within,
    /// A watermark may have been passed.
    Crossed,
}

impl Crossing {
    fn passed(passed: bool) -> Self {
        match passed {
            true => Self::Crossed,
            false => Self::Within,
        }
    }
}

/// Which slots have no frame. Who holds the lock of this refills or drains.
pub(crate) struct FillState {
    empty: KVVec<u32>,
    /// FrameTable committed to the stock and not in a slot yet.
    pub(crate) promised: u32,
    /// FrameTable in slots, taken ones included.
    pub(crate) owned: u32,
}

/// A stock.
#[pin_data]
pub(crate) struct Stock {
    watermarks: Watermarks,
    free: Labyrinth<KVVec<InlineAtomic>>,
    slots: Slots,
    level: PerCpuCounter,
    #[pin]
    pub(crate) filling: PiMutex<FillState>,
}

impl Stock {
    /// A stock with no frames yet: E2BIG for more slots than there can be, ENOMEM.
    /// Context: thread, may sleep.
    pub(crate) fn new(watermarks: Watermarks) -> Result<Pin<KBox<Self>>> {
        let limit = watermarks.limit();
        let free = Labyrinth::new(InlineAtomic::table(limit)?, limit).ok_or(EINVAL)?;
        let mut empty = KVVec::with_capacity(limit as usize, GFP_KERNEL)?;
        for slot in 0..limit {
            // The lowest slot is used first.
            empty.push(limit - 1 - slot, GFP_KERNEL)?;
        }
        let filling = FillState {
            empty,
            promised: watermarks.pages(),
            owned: 0,
        };
        let level = PerCpuCounter::new(&watermarks)?;
        KBox::pin_init(
            try_pin_init!(Self {
                level,
                watermarks,
                free,
                slots: Slots::new(limit)?,
                filling <- new_pi_mutex!(filling, "genp_filling"),
            }),
            GFP_KERNEL,
        )
    }

    pub(crate) fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    pub(crate) fn level(&self) -> &PerCpuCounter {
        &self.level
    }

    /// Takes a page: its slot. `None` if it is empty, or others were faster too often.
    /// Context: any.
    #[inline(always)]
    pub(crate) fn take(&self, cpu: &CurrentCpu) -> (Option<u32>, Crossing) {
        let Some(counts) = self.level.counts(cpu) else {
            return (None, Crossing::Within);
        };
        match self.free.take_near(counts.last(), cpu.number()) {
            Some(slot) => (Some(slot), self.level.take(counts, slot)),
            None => (None, self.level.miss(counts)),
        }
    }

    /// The address of the page in a slot, which the caller has taken. Context: any.
    #[inline(always)]
    pub(crate) fn page(&self, slot: u32) -> Option<usize> {
        self.slots.page(slot)
    }

    /// Whether the page at an address is in a slot. Context: any.
    #[inline(always)]
    pub(crate) fn holds(&self, slot: usize, page: usize) -> bool {
        self.slots.holds(slot, page)
    }

    /// Gives the page in a slot back. Context: any.
    #[inline(always)]
    pub(crate) fn give(&self, slot: u32, cpu: &CurrentCpu) -> Result<Crossing, Refusal> {
        self.free.give(slot).map_err(|_| Refusal::Stale)?;
        Ok(self.level.give(cpu))
    }

    /// Puts a frame into an empty slot; its page is not free yet: see [`Self::open`].
    /// `None` if every slot has one. Context: thread; the caller owns the frame.
    pub(crate) fn fill(
        &self,
        filling: &mut FillState,
        frames: &FrameTable,
        frame: u32,
    ) -> Option<u32> {
        let slot = filling.empty.pop()?;
        self.slots.fill(slot, frame, frames.put_in(frame, slot));
        filling.owned += 1;
        Some(slot)
    }

    /// Lets the page in a slot that was just filled be taken. Context: thread.
    pub(crate) fn open(&self, slot: u32) {
        // Refused only for a page that is free, and this one never was.
        let _ = self.free.give(slot);
        self.level.add(1);
    }

    /// Takes a free page out for good: its frame. Context: thread.
    pub(crate) fn withdraw(&self, filling: &mut FillState) -> Option<u32> {
        let slot = {
            let guard = PreemptGuard::begin();
            self.free.take(guard.number())?
        };
        self.level.add(-1);
        self.vacate(filling, slot)
    }

    /// Empties a slot whose page is taken: its frame.
    fn vacate(&self, filling: &mut FillState, slot: u32) -> Option<u32> {
        let frame = self.slots.empty(slot)?;
        // Never allocates: there is room for every slot.
        let _ = filling.empty.push(slot, GFP_ATOMIC);
        filling.owned -= 1;
        Some(frame)
    }

    /// The frame in a slot of a stock that nobody uses any longer, taken or not.
    /// Context: thread.
    pub(crate) fn take_out_any(&self, filling: &mut FillState, slot: u32) -> Option<u32> {
        self.vacate(filling, slot)
    }

    /// Pages to add, or to give up, as far as they go in one batch.
    pub(crate) fn pending_refills(&self, filling: &FillState) -> (u32, u32) {
        let free = self.level.free();
        (
            self.watermarks.shortage(free, filling.owned),
            self.watermarks.excess(free, filling.owned),
        )
    }
}
