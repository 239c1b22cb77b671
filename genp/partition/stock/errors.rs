// SPDX-License-Identifier: GPL-2.0

//! Memory errors in pages of an atomic stock. A page with one is passed over when it is
//! taken, and removed as soon as no driver has it.

use super::PartitionStock;
use crate::genp::{
    frames::free::Released,
    stock::{Stock, MAX_POISONED},
    sys::cpu::{CurrentCpu, PreemptGuard},
};

/// Slots that are looked at under one lock.
const SLICE: u32 = 64;

impl PartitionStock {
    /// Takes another page for one in slot `slot` that was taken and has a memory error:
    /// the address of its `struct page`. Context: any. Constant.
    #[cold]
    pub(crate) fn replace_page(&self, mut slot: usize) -> Option<usize> {
        let guard = PreemptGuard::begin();
        let stock = self.stock()?;
        let frames = self.account.pool().free_frames.frames();
        // loop-bound: MAX_POISONED
        for _ in 0..MAX_POISONED {
            self.set_aside(stock, slot, &guard);
            let other = stock.take(&guard).0?;
            if !stock
                .frame(other)
                .is_some_and(|frame| frames.poisoned(frame))
            {
                return stock.page(other);
            }
            slot = other as usize;
        }
        self.set_aside(stock, slot, &guard);
        None
    }

    /// Sets a page aside that was taken and is given to nobody. Context: any.
    fn set_aside(&self, stock: &Stock, slot: usize, cpu: &CurrentCpu) {
        // CAST: there are fewer slots than 2^32.
        if let Some(frame) = stock.frame(slot as u32) {
            self.account.pool().free_frames.frames().set_aside(frame);
            stock.set_aside(cpu);
            self.aside.store(1);
            self.request_refill(cpu);
        }
    }

    /// Has pages removed that were set aside. Context: the refill thread.
    pub(super) fn report_aside(&self) {
        if self.aside.load() != 0 {
            self.account.pool().errors.report();
        }
    }

    /// Finds pages with memory errors: calls `tell` for each that was not found before, and
    /// removes those that no driver has. Calls `pause` between two pieces of the work.
    /// Linear in the slots. Context: the thread that tells of errors; may sleep.
    pub(in crate::genp::partition) fn find_errors(&self, pause: impl Fn(), tell: impl Fn()) {
        let Some(stock) = self.stock() else {
            return;
        };
        // Before the look: what is set aside afterwards is reported anew.
        self.aside.store(0);
        let limit = stock.watermarks().limit();
        let mut removed = false;
        for first in (0..limit).step_by(SLICE as usize) {
            let end = first.saturating_add(SLICE).min(limit);
            removed |= self.remove_poisoned(stock, first..end, &tell);
            pause();
        }
        if removed {
            // The refill thread replaces them, if the stock may have more.
            self.request_refill(&PreemptGuard::begin());
        }
    }

    /// As [`Self::find_errors`], for some slots; whether any page was removed.
    fn remove_poisoned(
        &self,
        stock: &Stock,
        slots: ::core::ops::Range<u32>,
        tell: impl Fn(),
    ) -> bool {
        let frames = self.account.pool().free_frames.frames();
        let mut released = Released::default();
        let mut filling = stock.filling.lock();
        for slot in slots {
            let Some(frame) = stock.frame(slot).filter(|frame| frames.poisoned(*frame)) else {
                continue;
            };
            if self.account.newly_poisoned(frame) {
                tell();
            }
            let removed = match frames.is_aside(frame) {
                true => {
                    stock.withdraw_aside(&mut filling, slot);
                    true
                }
                false => stock.withdraw_free(&mut filling, slot),
            };
            if removed {
                released.count(self.account.give_or_quarantine(frame));
            }
        }
        drop(filling);
        self.account.release(released);
        released.frames() > 0
    }
}
