// SPDX-License-Identifier: GPL-2.0

//! Atomic stocks: pages set aside for contexts in which nothing else can be allocated.
//!
//! A stock has as many slots as it may have pages. A slot has a frame or none; the
//! labyrinth records which slots have a free page. Takes and gives use the labyrinth
//! alone. The frame of a slot changes only while its page is taken out of the labyrinth,
//! and is changed by whoever took it.
//!
//! Lock order: `filling` is taken with no raw lock held, and before the lending lock.

mod emergency;
mod pending;
mod per_cpu_counter;
mod slots;

use kernel::{alloc::Flags, prelude::*};

use crate::genp::{
    core::{count::Count, labyrinth::Labyrinth, watermarks::Watermarks},
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
use slots::{EmptySlots, Slots};

/// The most pages with memory errors that one take passes over.
pub(crate) const MAX_POISONED: u32 = 4;

/// Why a page was not taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not of this stock, or was not taken by this partition.
    Foreign,
    /// It was given back before.
    Stale,
}

/// Whether a take or a give requires that the refill thread checks the stock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// No watermark was crossed.
    None,
    /// A watermark may have been crossed.
    Crossed,
}

impl Crossing {
    fn crossed_if(crossed: bool) -> Self {
        match crossed {
            true => Self::Crossed,
            false => Self::None,
        }
    }
}

/// The slots without a frame. Refilling and draining are done under the lock of this.
pub(crate) struct FillState {
    empty: EmptySlots,
    /// Frames committed to the stock that are not in a slot yet.
    pub(crate) promised: u32,
    /// Frames in slots, taken ones included.
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
    /// A stock without frames, with tables allocated by `flags`: E2BIG for more slots than a
    /// labyrinth can have, ENOMEM. Context: thread, may sleep.
    pub(crate) fn new(watermarks: Watermarks, flags: Flags) -> Result<Pin<KBox<Self>>> {
        let limit = watermarks.limit();
        let free = Labyrinth::new(InlineAtomic::table(limit, flags)?, limit).ok_or(EINVAL)?;
        let (slots, empty) = Slots::new(limit, flags)?;
        let filling = FillState {
            empty,
            promised: watermarks.pages(),
            owned: 0,
        };
        let level = PerCpuCounter::new(&watermarks, flags)?;
        KBox::pin_init(
            pin_init!(Self {
                level,
                watermarks,
                free,
                slots,
                filling <- new_pi_mutex!(filling, "genp_filling"),
            }),
            flags,
        )
    }

    pub(crate) fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    pub(crate) fn level(&self) -> &PerCpuCounter {
        &self.level
    }

    /// Takes a page; returns its slot. `None` if the stock is empty, or other CPUs took
    /// the pages found in each of a bounded number of attempts. Context: any.
    #[inline(always)]
    pub(crate) fn take(&self, cpu: &CurrentCpu) -> (Option<u32>, Crossing) {
        let Some(counts) = self.level.counts(cpu) else {
            return (None, Crossing::None);
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
        let put_in = |slot| frames.put_in(frame, slot);
        let slot = self.slots.fill(&mut filling.empty, frame, put_in)?;
        filling.owned.raise(1);
        Some(slot)
    }

    /// Makes the page in a slot that was just filled free. Context: thread.
    pub(crate) fn open(&self, slot: u32) {
        // Refused only for a page that is free, which this one is not.
        let _ = self.free.give(slot);
        self.level.add(1);
    }

    /// Removes a free page from the stock; returns its frame. Context: thread.
    pub(crate) fn withdraw(&self, filling: &mut FillState) -> Option<u32> {
        let slot = {
            let guard = PreemptGuard::begin();
            self.free.take(guard.number())?
        };
        self.level.add(-1);
        self.vacate(filling, slot)
    }

    /// The frame in a slot. Context: any, for a slot whose page the caller has taken; or
    /// with the lock of the filling.
    pub(crate) fn frame(&self, slot: u32) -> Option<u32> {
        self.slots.frame(slot)
    }

    /// Removes the page in a slot from the stock, if it is free: it is nobody's. Context:
    /// thread.
    pub(crate) fn withdraw_free(&self, filling: &mut FillState, slot: u32) -> bool {
        let free = {
            let _guard = PreemptGuard::begin();
            self.free.take_this(slot)
        };
        if free {
            self.level.add(-1);
            self.vacate(filling, slot);
        }
        free
    }

    /// No longer counts a page that was taken and that nobody is to have. Context: any.
    pub(crate) fn set_aside(&self, cpu: &CurrentCpu) {
        // As if it were given back and removed. What crosses a watermark, the caller
        // has looked at.
        self.level.give(cpu);
        self.level.add(-1);
    }

    /// Removes the page in a slot from the stock that was set aside. Context: thread.
    pub(crate) fn withdraw_aside(&self, filling: &mut FillState, slot: u32) {
        self.vacate(filling, slot);
    }

    /// Empties a slot whose page is taken; returns its frame.
    fn vacate(&self, filling: &mut FillState, slot: u32) -> Option<u32> {
        let frame = self.slots.empty(&mut filling.empty, slot)?;
        filling.owned.lower(1);
        Some(frame)
    }

    /// Removes the frame from a slot of a stock that nobody uses any longer, whether its
    /// page is taken or not. Context: thread.
    pub(crate) fn take_out_any(&self, filling: &mut FillState, slot: u32) -> Option<u32> {
        self.vacate(filling, slot)
    }

    /// The number of pages to add, and the number to remove; one of them is 0.
    pub(crate) fn imbalance(&self, filling: &FillState) -> (u32, u32) {
        let free = self.level.free();
        (
            self.watermarks.shortage(free, filling.owned),
            self.watermarks.excess(free, filling.owned),
        )
    }
}
