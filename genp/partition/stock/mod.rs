// SPDX-License-Identifier: GPL-2.0

//! The atomic stock of a partition: taking and giving pages in any context, filling
//! and emptying it in threads.

mod errors;

use kernel::prelude::*;

use super::Partition;
use crate::genp::{
    core::watermarks::Watermarks,
    frames::free::{Released, BATCH},
    pool::account::PoolAccount,
    stock::{Crossing, FillState, Refusal, Stock},
    sys::{
        abi,
        alloc_flags::CREATE_FLAGS,
        atomic::InlineAtomic,
        cpu::{CurrentCpu, PreemptGuard},
        trace,
    },
};

/// The stock of a partition, and what it took of the emergency stock.
pub(crate) struct PartitionStock {
    account: PoolAccount,
    /// `None` if it was created without one.
    stock: Option<Pin<KBox<Stock>>>,
    refills: InlineAtomic,
    drains: InlineAtomic,
    emergency_takes: InlineAtomic,
    emergency_gives: InlineAtomic,
    /// 1 if pages with memory errors were set aside and not removed yet.
    aside: InlineAtomic,
}

impl PartitionStock {
    /// A stock with these watermarks and no frames yet; none if they commit no pages.
    /// E2BIG, ENOMEM. Context: thread, may sleep.
    pub(super) fn new(account: PoolAccount, watermarks: Watermarks) -> Result<Self> {
        let stock = match watermarks.pages() {
            0 => None,
            _ => Some(Stock::new(watermarks, CREATE_FLAGS)?),
        };
        Ok(Self {
            account,
            stock,
            refills: InlineAtomic::new(0),
            drains: InlineAtomic::new(0),
            emergency_takes: InlineAtomic::new(0),
            emergency_gives: InlineAtomic::new(0),
            aside: InlineAtomic::new(0),
        })
    }

    fn stock(&self) -> Option<&Stock> {
        self.stock.as_deref()
    }

    /// The watermarks, if there is a stock. Context: any.
    pub(crate) fn watermarks(&self) -> Option<Watermarks> {
        self.stock().map(|stock| *stock.watermarks())
    }

    /// The watermarks and the free pages, if there is a stock. Context: any. O(CPUs).
    fn level(&self) -> Option<(Watermarks, u32)> {
        let stock = self.stock()?;
        Some((*stock.watermarks(), stock.level().free()))
    }

    /// Has the refill thread check the stock. Context: any.
    #[cold]
    fn request_refill(&self, cpu: &CurrentCpu) {
        self.account
            .pool()
            .pending_refills
            .put(self.account.id(), cpu);
    }

    /// Has the refill thread look at the stock after a take, which may have found nothing.
    /// Context: any.
    #[cold]
    fn request_refill_after(&self, slot: Option<u32>, cpu: &CurrentCpu) {
        let pending = &self.account.pool().pending_refills;
        match slot {
            Some(_) => pending.put(self.account.id(), cpu),
            None => pending.put_missed(self.account.id(), cpu),
        }
    }

    /// Takes a page of the stock: the address of its `struct page`. Context: any.
    /// Constant.
    #[inline(always)]
    pub(crate) fn take_page(&self, cpu: &CurrentCpu) -> Option<usize> {
        let stock = self.stock()?;
        let (slot, crossing) = stock.take(cpu);
        if crossing == Crossing::Crossed {
            self.request_refill_after(slot, cpu);
        }
        stock.page(slot?)
    }

    /// Takes a page of the emergency stock, which may hold what another partition left in
    /// it. Context: any. Constant.
    pub(crate) fn take_emergency_page(&self) -> Option<usize> {
        let guard = PreemptGuard::begin();
        let emergency = self.account.pool().emergency.as_ref()?;
        let frames = self.account.pool().free_frames.frames();
        let page = emergency.take(self.account.id(), frames, &guard)?;
        self.emergency_takes.add(1);
        Some(page)
    }

    /// Gives back the page that says it is in this slot. `None` if it is not in the own
    /// stock. Context: any. Constant.
    #[inline(always)]
    fn give_page(
        &self,
        page: usize,
        slot: usize,
        cpu: &CurrentCpu,
    ) -> Option<Result<Crossing, Refusal>> {
        match self.stock() {
            // CAST: there are fewer slots than 2^32.
            Some(stock) if stock.holds(slot, page) => Some(stock.give(slot as u32, cpu)),
            _ => None,
        }
    }

    /// Gives back a page of the emergency stock. Context: any. Constant.
    fn give_emergency_page(&self, page: usize, slot: usize) -> Result<(), Refusal> {
        let guard = PreemptGuard::begin();
        let emergency = self.account.pool().emergency.as_ref();
        emergency
            .ok_or(Refusal::Foreign)?
            .give(self.account.id(), slot, page, &guard)?;
        self.emergency_gives.add(1);
        Ok(())
    }

    /// Pages taken and not given back. Context: any. O(CPUs).
    pub(crate) fn pages_out(&self) -> u32 {
        let own = self.stock().map_or(0, |stock| stock.level().out());
        let emergency = self
            .emergency_takes
            .load()
            .saturating_sub(self.emergency_gives.load());
        own.saturating_add(u32::try_from(emergency).unwrap_or(u32::MAX))
    }

    /// Fills a new stock with what is committed to it. ENOMEM. Context: thread, may sleep;
    /// zeroes the frames.
    pub(super) fn populate(&self) -> Result {
        let Some(stock) = self.stock() else {
            return Ok(());
        };
        let mut filling = stock.filling.lock();
        // loop-bound: stock_pages
        while filling.promised > 0 {
            if self.fill(stock, &mut filling) == 0 {
                return Err(ENOMEM);
            }
        }
        Ok(())
    }

    /// Moves one batch of promised frames from the free ones to the stock. Returns the
    /// number of frames moved.
    fn fill(&self, stock: &Stock, filling: &mut FillState) -> u32 {
        let free_frames = &self.account.pool().free_frames;
        let mut list = self.account.take_frames(filling.promised.min(BATCH));
        let count = list.len();
        // loop-total: stock_pages
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
    fn refill(&self) {
        let Some(stock) = self.stock() else {
            return;
        };
        let mut in_vain = false;
        // Each iteration moves a page at least, or is the last one.
        for _ in 0..=stock.watermarks().limit() {
            let mut filling = stock.filling.lock();
            let (more, less) = stock.imbalance(&filling);
            let moved = match (more, less) {
                (0, 0) => 0,
                (0, less) => self.drain_batch(stock, &mut filling, less.min(BATCH)),
                (more, _) => self.refill_batch(stock, &mut filling, more.min(BATCH)),
            };
            // There was none to spare, or the stock has all it may have.
            let full = filling.owned >= stock.watermarks().limit();
            in_vain = moved == 0 && (more > 0 || full);
            drop(filling);
            if moved == 0 {
                break;
            }
        }
        let pending = &self.account.pool().pending_refills;
        pending.set_starved(self.account.id(), in_vain);
    }

    fn refill_batch(&self, stock: &Stock, filling: &mut FillState, pages: u32) -> u32 {
        let committed = self
            .account
            .with_lending(|state, id| state.commit_spare(id, pages));
        if !committed {
            self.account.pool().need_ends();
            return 0;
        }
        filling.promised = pages;
        let filled = self.fill(stock, filling);
        self.account
            .release_promised(::core::mem::take(&mut filling.promised));
        self.refills.add(filled.into());
        trace::refill(self.account.id().0, filled, stock.level().free());
        filled
    }

    fn drain_batch(&self, stock: &Stock, filling: &mut FillState, pages: u32) -> u32 {
        let mut released = Released::default();
        for _ in 0..pages {
            let Some(frame) = stock.withdraw(filling) else {
                break;
            };
            // A frame to which there is another reference stays in quarantine.
            released.count(self.account.give_or_quarantine(frame));
        }
        self.account.pool().wakers.scrub.wake();
        self.account.release(released);
        let drained = released.frames();
        self.drains.add(drained.into());
        trace::drain(self.account.id().0, drained, stock.level().free());
        drained
    }

    /// Gives all frames of the stock back to the pool, at the last close. Context:
    /// thread, may sleep.
    pub(super) fn empty(&self) {
        let Some(stock) = self.stock() else {
            return;
        };
        let mut filling = stock.filling.lock();
        self.account
            .release_promised(::core::mem::take(&mut filling.promised));
        let limit = stock.watermarks().limit();
        // loop-bound: stock_pages
        (0..limit).for_each(|slot| self.empty_slot(stock, &mut filling, slot));
        self.account.pool().wakers.scrub.wake();
    }

    /// Gives the frame in a slot back to the pool, if there is one.
    fn empty_slot(&self, stock: &Stock, filling: &mut FillState, slot: u32) {
        if let Some(frame) = stock.take_out_any(filling, slot) {
            let mut released = Released::default();
            released.count(self.account.give_or_quarantine(frame));
            self.account.release(released);
        }
    }

    /// Fills in its figures. Context: thread, may sleep while the stock is refilled.
    pub(super) fn stat(&self, stat: &mut abi::genp_stat) {
        stat.emergency_takes = self.emergency_takes.load();
        stat.stock_out = self.pages_out();
        let Some(stock) = self.stock() else {
            return;
        };
        let (watermarks, level) = (stock.watermarks(), stock.level());
        stat.stock_pages = watermarks.pages();
        stat.stock_limit = watermarks.limit();
        stat.stock_low = watermarks.low();
        stat.stock_owned = stock.filling.lock().owned;
        stat.stock_free = level.free();
        stat.stock_takes = level.takes();
        stat.stock_gives = level.gives();
        stat.stock_misses = level.misses();
        stat.stock_refills = self.refills.load();
        stat.stock_drains = self.drains.load();
    }

    /// As [`Self::stat`], without the lock that filling the stock holds for long: the sum of
    /// what is free and what is out, which is exact while nobody takes or gives. Context:
    /// any. O(CPUs).
    pub(super) fn list(&self, listed: &mut abi::genp_list) {
        let Some(stock) = self.stock() else {
            return;
        };
        let level = stock.level();
        listed.stock_free = level.free();
        listed.stock_owned = listed.stock_free.saturating_add(level.out());
        listed.stock_misses = level.misses();
    }
}

// Nothing but `self` is alive across the fast path of these: it is counted in instructions.
impl Partition {
    /// Gives back a page of the stock, or of the emergency stock, that says it is in this
    /// slot. Counts a refusal. Context: any. Constant.
    #[inline(always)]
    pub(crate) fn give_page(
        &self,
        page: usize,
        slot: usize,
        cpu: &CurrentCpu,
    ) -> Result<(), Refusal> {
        match self.stock.give_page(page, slot, cpu) {
            Some(Ok(Crossing::None)) => Ok(()),
            Some(Ok(Crossing::Crossed)) => {
                self.request_refill(cpu);
                Ok(())
            }
            Some(Err(why)) => self.refuse(why),
            None => self.give_emergency_page(page, slot),
        }
    }

    #[cold]
    fn request_refill(&self, cpu: &CurrentCpu) {
        self.stock.request_refill(cpu);
    }

    #[inline(never)]
    fn give_emergency_page(&self, page: usize, slot: usize) -> Result<(), Refusal> {
        self.stock
            .give_emergency_page(page, slot)
            .or_else(|why| self.refuse(why))
    }

    /// Announces a low stock, and refills or drains it. Context: the refill thread.
    pub(crate) fn refill_stock(&self) {
        if let Some((watermarks, free)) = self.stock.level() {
            self.events.check_stock(&watermarks, free);
        }
        self.stock.report_aside();
        self.blocks.report_aside();
        self.stock.refill();
        if let Some((watermarks, free)) = self.stock.level() {
            self.events.forget_low_stock(&watermarks, free);
        }
    }
}
