// SPDX-License-Identifier: GPL-2.0

//! The atomic stock of a partition: taking and giving pages in any context, filling
//! and emptying it in threads.

use kernel::prelude::*;

use super::{count, Partition};
use crate::genp::{
    core::stock::Marks,
    frames::free::BATCH,
    stock::{Crossing, FillState, Refusal, Stock},
    sys::{
        abi,
        cpu::{CurrentCpu, PreemptGuard},
        trace,
    },
};

impl Partition {
    fn stock(&self) -> Option<&Stock> {
        self.stock.as_deref()
    }

    /// The watermarks of the stock, if there is one. Context: any.
    pub(crate) fn marks(&self) -> Option<Marks> {
        self.stock().map(|stock| *stock.marks())
    }

    /// Lets the refill thread look at the stock.
    #[cold]
    fn want_refill(&self) {
        self.account.pool().pending_refills.put(self.id());
    }

    /// Takes a page of the stock: the address of its `struct page`. Context: any.
    /// Constant.
    #[inline(always)]
    pub(crate) fn take_page(&self, cpu: &CurrentCpu) -> Option<usize> {
        let stock = self.stock()?;
        let (slot, crossing) = stock.take(cpu);
        if crossing == Crossing::Crossed {
            self.want_refill();
        }
        stock.page(slot?)
    }

    /// Takes a page of the emergency stock, which another partition may have left
    /// something in. Context: any. Constant.
    pub(crate) fn take_emergency_page(&self) -> Option<usize> {
        let guard = PreemptGuard::begin();
        let page = self
            .account
            .pool()
            .emergency
            .as_ref()?
            .take(self.id(), &guard)?;
        count(&self.counters.emergency_takes);
        Some(page)
    }

    /// Gives back the page that says it is in this slot. Context: any. Constant.
    #[inline(always)]
    pub(crate) fn give_page(
        &self,
        page: usize,
        slot: usize,
        cpu: &CurrentCpu,
    ) -> Result<(), Refusal> {
        let given = match self.stock() {
            // CAST: there are fewer slots than 2^32.
            Some(stock) if stock.holds(slot, page) => stock.give(slot as u32, cpu),
            _ => return self.give_external(page, slot),
        };
        match given {
            Ok(Crossing::Within) => Ok(()),
            Ok(Crossing::Crossed) => {
                self.want_refill();
                Ok(())
            }
            Err(why) => self.refuse_page(why),
        }
    }

    /// Gives back a page that is not in the own stock.
    #[inline(never)]
    fn give_external(&self, page: usize, slot: usize) -> Result<(), Refusal> {
        let guard = PreemptGuard::begin();
        let given = match self.account.pool().emergency.as_ref() {
            Some(emergency) => emergency.give(self.id(), slot, page, &guard),
            None => Err(Refusal::Foreign),
        };
        match given {
            Ok(()) => {
                count(&self.counters.emergency_gives);
                Ok(())
            }
            Err(why) => self.refuse_page(why),
        }
    }

    /// Counts a page that is not taken back. Context: any.
    #[inline(never)]
    pub(crate) fn refuse_page(&self, why: Refusal) -> Result<(), Refusal> {
        count(match why {
            Refusal::Stale => &self.counters.stale_handles,
            Refusal::Foreign => &self.counters.misuses,
        });
        Err(why)
    }

    /// Pages taken and not given back. Context: any. O(CPUs).
    pub(crate) fn pages_out(&self) -> u32 {
        let own = self.stock().map_or(0, |stock| stock.level().out());
        let counters = &self.counters;
        let emergency = counters
            .emergency_takes
            .load()
            .saturating_sub(counters.emergency_gives.load());
        own.saturating_add(u32::try_from(emergency).unwrap_or(u32::MAX))
    }

    /// Fills the stock of a new partition with what is committed to it. Context:
    /// thread, may sleep; zeroes the frames.
    pub(super) fn populate_stock(&self) -> Result {
        let Some(stock) = self.stock() else {
            return Ok(());
        };
        let mut filling = stock.filling.lock();
        while filling.promised > 0 {
            if self.fill_stock(stock, &mut filling) == 0 {
                return Err(ENOMEM);
            }
        }
        Ok(())
    }

    /// Moves one batch of promised frames from the store to the stock: how many.
    fn fill_stock(&self, stock: &Stock, filling: &mut FillState) -> u32 {
        let free_frames = &self.account.pool().free_frames;
        let mut list = self.account.take_frames(filling.promised.min(BATCH));
        let count = list.len();
        while let Some(frame) = free_frames.pop(&mut list) {
            filling.promised = filling.promised.saturating_sub(1);
            // There is an empty slot: no more is promised than there are slots.
            if let Some(slot) = stock.fill(filling, free_frames.frames(), frame) {
                stock.open(slot);
            }
        }
        count
    }

    /// Refills or drains the stock as its watermarks say, in batches. Context: the
    /// refill thread.
    pub(crate) fn refill_stock(&self) {
        let Some(stock) = self.stock() else {
            return;
        };
        self.events.check_stock(stock.marks(), stock.level().free());
        // Each turn moves a page at least, or is the last one.
        for _ in 0..=stock.marks().limit() {
            let mut filling = stock.filling.lock();
            let (more, less) = stock.pending_refills(&filling);
            let moved = match (more, less) {
                (0, 0) => 0,
                (0, less) => self.drain_batch(stock, &mut filling, less.min(BATCH)),
                (more, _) => self.refill_batch(stock, &mut filling, more.min(BATCH)),
            };
            drop(filling);
            if moved == 0 {
                break;
            }
        }
        self.events
            .forget_low_stock(stock.marks(), stock.level().free());
    }

    fn refill_batch(&self, stock: &Stock, filling: &mut FillState, pages: u32) -> u32 {
        let committed = self
            .account
            .with_lending(|state, id| state.books.commit_spare(id, pages));
        // Nothing to spare: it is looked at again with the next take.
        if committed.is_err() {
            return 0;
        }
        filling.promised = pages;
        let filled = self.fill_stock(stock, filling);
        let missing = ::core::mem::take(&mut filling.promised);
        self.account.release(missing);
        self.counters.stock_refills.add(filled.into());
        trace::refill(self.id().0, filled, stock.level().free());
        filled
    }

    fn drain_batch(&self, stock: &Stock, filling: &mut FillState, pages: u32) -> u32 {
        let mut drained = 0;
        for _ in 0..pages {
            let Some(frame) = stock.withdraw(filling) else {
                break;
            };
            // Whoever else holds it keeps it in quarantine.
            drained += u32::from(self.account.give_or_quarantine(frame));
        }
        self.account.pool().wakers.scrub.wake();
        self.account.release(drained);
        self.counters.stock_drains.add(drained.into());
        trace::drain(self.id().0, drained, stock.level().free());
        drained
    }

    /// Gives all frames of the stock back to the pool, at the last close. Context:
    /// thread.
    pub(super) fn empty_stock(&self) {
        let Some(stock) = self.stock() else {
            return;
        };
        let mut filling = stock.filling.lock();
        let promised = ::core::mem::take(&mut filling.promised);
        self.account.release(promised);
        for slot in 0..stock.marks().limit() {
            let Some(frame) = stock.take_out_any(&mut filling, slot) else {
                continue;
            };
            let freed = self.account.give_or_quarantine(frame);
            self.account.release(freed.into());
        }
        self.account.pool().wakers.scrub.wake();
    }

    /// What the stock says of itself.
    pub(super) fn stat_stock(&self, stat: &mut abi::genp_stat) {
        let counters = &self.counters;
        stat.emergency_takes = counters.emergency_takes.load();
        stat.stock_out = self.pages_out();
        let Some(stock) = self.stock() else {
            return;
        };
        let (marks, level) = (stock.marks(), stock.level());
        stat.stock_pages = marks.pages();
        stat.stock_limit = marks.limit();
        stat.stock_low = marks.low();
        stat.stock_owned = stock.filling.lock().owned;
        stat.stock_free = level.free();
        stat.stock_takes = level.takes();
        stat.stock_gives = level.gives();
        stat.stock_misses = level.misses();
        stat.stock_refills = counters.stock_refills.load();
        stat.stock_drains = counters.stock_drains.load();
    }
}
