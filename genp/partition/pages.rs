// SPDX-License-Identifier: GPL-2.0

//! The atomic stock of a partition: taking and giving pages in any context, filling
//! and emptying it in threads.

use kernel::{prelude::*, sync::atomic::Relaxed};

use super::{
    super::{
        core::stock::Marks,
        pool::store::BATCH,
        stock::{Entry, Filling, Mark, Refusal, Stock},
        sys::{abi, trace},
    },
    count, Partition,
};

/// A page that was taken.
pub(crate) struct Taken {
    pub(crate) frame: u32,
    /// Whether another partition may have left something in it.
    pub(crate) foreign: bool,
}

impl Partition {
    fn stock(&self) -> Option<&Stock> {
        self.stock.as_deref()
    }

    /// The watermarks of the stock, if there is one. Context: any.
    pub(crate) fn marks(&self) -> Option<Marks> {
        self.stock().map(|stock| *stock.marks())
    }

    /// Takes a page of the stock, or of the emergency stock if that is allowed and the
    /// own one is empty. Context: any. Constant.
    pub(crate) fn take_page(&self, emergency: bool) -> Option<Taken> {
        if let Some(stock) = self.stock() {
            let (taken, mark) = stock.take();
            if mark == Mark::Passed {
                self.pool.wants.put(self.id);
            }
            if let Some((_, frame)) = taken {
                return Some(Taken {
                    frame,
                    foreign: false,
                });
            }
        }
        if !emergency {
            return None;
        }
        let frame = self.pool.emergency.as_ref()?.take(self.id)?;
        count(&self.counters.emergency_takes);
        Some(Taken {
            frame,
            foreign: true,
        })
    }

    /// Gives a page back. Context: any. Constant.
    pub(crate) fn give_page(&self, frame: Option<u32>) -> Result<(), Refusal> {
        let given = self.return_to_stock(frame);
        match given {
            Ok(()) => {}
            Err(Refusal::Stale) => count(&self.counters.stale_handles),
            Err(Refusal::Foreign) => count(&self.counters.misuses),
        }
        given
    }

    fn return_to_stock(&self, frame: Option<u32>) -> Result<(), Refusal> {
        let frame = frame.ok_or(Refusal::Foreign)?;
        let entry = self.pool.ledger.find(frame).ok_or(Refusal::Foreign)?;
        if entry.stock == Entry::EMERGENCY {
            let emergency = self.pool.emergency.as_ref().ok_or(Refusal::Foreign)?;
            emergency.give(self.id, entry.slot)?;
            count(&self.counters.emergency_gives);
            return Ok(());
        }
        match self.stock() {
            Some(stock) if entry.stock == self.id.0 => {
                if stock.give(entry.slot)? == Mark::Passed {
                    self.pool.wants.put(self.id);
                }
                Ok(())
            }
            _ => Err(Refusal::Foreign),
        }
    }

    /// Pages taken and not given back. Context: any. O(CPUs).
    pub(crate) fn pages_out(&self) -> u32 {
        let own = self.stock().map_or(0, |stock| stock.level().out());
        let counters = &self.counters;
        let emergency = counters
            .emergency_takes
            .load(Relaxed)
            .saturating_sub(counters.emergency_gives.load(Relaxed));
        own.saturating_add(u32::try_from(emergency).unwrap_or(u32::MAX))
    }

    /// Fills the stock of a new partition with what is committed to it. Context:
    /// thread, may sleep; zeroes the frames.
    pub(super) fn furnish_stock(&self) -> Result {
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
    fn fill_stock(&self, stock: &Stock, filling: &mut Filling) -> u32 {
        let store = &self.pool.store;
        let mut chain = store.take(filling.promised.min(BATCH), self.shape.preferred);
        let count = chain.len();
        while let Some(frame) = store.pop(&mut chain) {
            filling.promised = filling.promised.saturating_sub(1);
            // There is an empty slot: no more is promised than there are slots.
            if let Some(slot) = stock.fill(filling, frame) {
                store.frames().number(frame);
                self.pool.ledger.enter(frame, Entry::new(self.id.0, slot));
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
        self.check_stock(stock);
        // Each turn moves a page at least, or is the last one.
        for _ in 0..=stock.marks().limit() {
            let mut filling = stock.filling.lock();
            let (more, less) = stock.wants(&filling);
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
        if stock.level().free() >= stock.marks().low() {
            self.stock_low.store(0, Relaxed);
        }
    }

    fn refill_batch(&self, stock: &Stock, filling: &mut Filling, pages: u32) -> u32 {
        let committed = self
            .pool
            .front
            .with(|desk| desk.books.commit_spare(self.id, pages));
        // Nothing to spare: it is looked at again with the next take.
        if committed.is_err() {
            return 0;
        }
        filling.promised = pages;
        let filled = self.fill_stock(stock, filling);
        let missing = ::core::mem::take(&mut filling.promised);
        self.pool.release(self.id, missing);
        self.counters
            .stock_refills
            .fetch_add(filled.into(), Relaxed);
        trace::refill(self.id.0, filled, stock.level().free());
        filled
    }

    fn drain_batch(&self, stock: &Stock, filling: &mut Filling, pages: u32) -> u32 {
        let mut drained = 0;
        for _ in 0..pages {
            let Some(frame) = stock.withdraw(filling) else {
                break;
            };
            self.pool.ledger.strike(frame);
            // Whoever else holds it keeps it in quarantine.
            drained += u32::from(self.pool.store.give_or_keep(self.id.0, frame));
        }
        self.pool.bells.scrub.ring();
        self.pool.release(self.id, drained);
        self.counters
            .stock_drains
            .fetch_add(drained.into(), Relaxed);
        trace::drain(self.id.0, drained, stock.level().free());
        drained
    }

    /// Tells when the stock fell below its low watermark: once, until it was refilled.
    /// For one that cannot be refilled, each time it does.
    fn check_stock(&self, stock: &Stock) {
        let (free, marks) = (stock.level().free(), stock.marks());
        let is_low = u32::from(free < marks.low());
        let was_low = self.stock_low.xchg(is_low, Relaxed) == 1 && marks.grows();
        if is_low == 1 && !was_low {
            self.announce_stock(free);
        }
    }

    /// Gives all frames of the stock back to the pool, at the last close. Context:
    /// thread.
    pub(super) fn empty_stock(&self) {
        let Some(stock) = self.stock() else {
            return;
        };
        let mut filling = stock.filling.lock();
        let promised = ::core::mem::take(&mut filling.promised);
        self.pool.release(self.id, promised);
        for slot in 0..stock.marks().limit() {
            let Some(frame) = stock.strip(&mut filling, slot) else {
                continue;
            };
            self.pool.ledger.strike(frame);
            let freed = self.pool.store.give_or_keep(self.id.0, frame);
            self.pool.release(self.id, freed.into());
        }
        self.pool.bells.scrub.ring();
    }

    /// What the stock says of itself.
    pub(super) fn stat_stock(&self, stat: &mut abi::genp_stat) {
        let counters = &self.counters;
        stat.emergency_takes = counters.emergency_takes.load(Relaxed);
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
        stat.stock_refills = counters.stock_refills.load(Relaxed);
        stat.stock_drains = counters.stock_drains.load(Relaxed);
    }
}
