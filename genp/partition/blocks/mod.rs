// SPDX-License-Identifier: GPL-2.0

//! The contiguous blocks of a partition: a stock for each order, whose slots have the first
//! frames of blocks. They are taken and given in any context, as pages are.
//!
//! A stock has what was committed at create and neither grows nor shrinks, but for blocks
//! with memory errors. No order takes from another one.

mod errors;

use kernel::prelude::*;

use super::Partition;
use crate::genp::{
    core::{
        block_counts::{BlockCounts, MAX_ORDER, ORDERS},
        watermarks::Watermarks,
    },
    pool::{account::PoolAccount, blocks::frames_of},
    stock::{Refusal, Stock},
    sys::{abi, alloc_flags::CREATE_FLAGS, atomic::InlineAtomic, cpu::CurrentCpu, table},
};

/// The contiguous blocks of a partition.
pub(crate) struct PartitionBlocks {
    account: PoolAccount,
    /// By order; `None` for an order of which it was created without any. Empty if that is so
    /// for all.
    stocks: KVVec<Option<Pin<KBox<Stock>>>>,
    /// Takes of such an order.
    absent: InlineAtomic,
    /// 1 if blocks with memory errors were set aside and not removed yet.
    aside: InlineAtomic,
    /// Blocks with memory errors that drivers had when they were looked for last.
    bad: InlineAtomic,
}

impl PartitionBlocks {
    /// Stocks for so many blocks, without any yet: ENOMEM. Context: thread, may sleep.
    #[inline(never)] // What it has on the stack is gone when the partition is built.
    pub(super) fn new(account: PoolAccount, counts: &BlockCounts) -> Result<KBox<Self>> {
        let orders = if counts.is_none() { 0 } else { ORDERS };
        let mut stocks = table::collect((0..orders).map(|_| None), CREATE_FLAGS)?;
        for (stock, count) in stocks.iter_mut().zip(counts.by_order()) {
            if count > 0 {
                let watermarks = Watermarks::new(count, 0, 0).ok_or(EINVAL)?;
                *stock = Some(Stock::new(watermarks, CREATE_FLAGS)?);
            }
        }
        let blocks = Self {
            account,
            stocks,
            absent: InlineAtomic::new(0),
            aside: InlineAtomic::new(0),
            bad: InlineAtomic::new(0),
        };
        Ok(KBox::new(blocks, CREATE_FLAGS)?)
    }

    #[inline(always)]
    fn stock(&self, order: u32) -> Option<&Stock> {
        self.stocks.get(order as usize)?.as_deref()
    }

    /// The stocks that there are, each with its order.
    fn stocks(&self) -> impl Iterator<Item = (u32, &Stock)> {
        let each = (0..=MAX_ORDER).zip(self.stocks.iter());
        // loop-bound: ORDERS
        each.filter_map(|(order, stock)| Some((order, stock.as_deref()?)))
    }

    /// Takes a block: the address of the `struct page` of its first page. It may have a
    /// memory error: see [`Self::sound`]. Context: any. Constant.
    #[inline(always)]
    pub(crate) fn take(&self, order: u32, cpu: &CurrentCpu) -> Option<usize> {
        let Some(stock) = self.stock(order) else {
            self.absent.add(1);
            return None;
        };
        // No watermark matters: nothing refills it.
        stock.page(stock.take(cpu).0?)
    }

    /// Gives back the block of this order that says it is in this slot. Context: any.
    /// Constant.
    #[inline(always)]
    fn give(&self, order: u32, page: usize, slot: usize, cpu: &CurrentCpu) -> Result<(), Refusal> {
        match self.stock(order) {
            // CAST: there are fewer slots than 2^32.
            Some(stock) if stock.holds(slot, page) => stock.give(slot as u32, cpu).map(|_| ()),
            _ => Err(Refusal::Foreign),
        }
    }

    /// Zeroes a block that the caller has taken. Context: any. Linear in its pages.
    pub(crate) fn zero(&self, order: u32, slot: usize) {
        // CAST: there are fewer slots than 2^32.
        if let Some(first) = self.stock(order).and_then(|stock| stock.frame(slot as u32)) {
            let frames = self.account.pool().free_frames.frames();
            // loop-bound: BLOCK_PAGES
            for frame in frames_of(first, order) {
                frames.zero(frame);
            }
        }
    }

    /// Blocks taken and not given back. Context: any. O(CPUs).
    pub(crate) fn blocks_out(&self) -> u32 {
        // loop-bound: ORDERS
        self.stocks().fold(0u32, |sum, (_, stock)| {
            sum.saturating_add(stock.level().out())
        })
    }

    /// Gets what was committed from the pool, all or none: ENOSPC. Context: thread, may
    /// sleep; zeroes the blocks.
    pub(super) fn populate(&self) -> Result {
        let pool = self.account.pool();
        let mut counts = BlockCounts::NONE;
        // loop-bound: ORDERS
        for (order, stock) in self.stocks() {
            counts.raise(order, stock.watermarks().pages());
        }
        if counts.is_none() {
            return Ok(());
        }
        pool.blocks.promise(&counts, pool.free_frames.frames())?;
        // loop-bound: ORDERS
        for (order, stock) in self.stocks() {
            // loop-total: partition_blocks
            for _ in 0..stock.watermarks().pages() {
                // There are as many as were promised.
                if let Some(first) = pool.blocks.take_promised(order, self.account.node()) {
                    self.put_in(stock, order, first);
                }
            }
        }
        Ok(())
    }

    /// Zeroes a block of the pool's and puts it into an empty slot. Context: thread, may
    /// sleep.
    fn put_in(&self, stock: &Stock, order: u32, first: u32) {
        let frames = self.account.pool().free_frames.frames();
        // loop-bound: BLOCK_PAGES
        for frame in frames_of(first, order) {
            frames.zero(frame);
        }
        let slot = stock.fill(&mut stock.filling.lock(), frames, first);
        match slot {
            Some(slot) => stock.open(slot),
            None => self.account.give_block(order, first),
        }
    }

    /// Gives all blocks back to the pool, taken or not, at the last close. Context: thread,
    /// may sleep. Linear in their pages.
    pub(super) fn empty(&self) {
        // loop-bound: ORDERS
        for (order, stock) in self.stocks() {
            // loop-total: partition_blocks
            for slot in 0..stock.watermarks().limit() {
                let first = stock.take_out_any(&mut stock.filling.lock(), slot);
                if let Some(first) = first {
                    self.account.give_block(order, first);
                }
            }
        }
    }

    /// Fills in its figures. Context: thread, may sleep.
    pub(super) fn stat(&self, stat: &mut abi::genp_stat) {
        stat.blocks_out = self.blocks_out();
        stat.block_misses = self.absent.load();
        // loop-bound: ORDERS
        for (order, stock) in self.stocks() {
            let level = stock.level();
            if let Some(blocks) = stat.blocks.get_mut(order as usize) {
                *blocks = stock.filling.lock().owned;
            }
            if let Some(free) = stat.blocks_free.get_mut(order as usize) {
                *free = level.free();
            }
            stat.block_takes = stat.block_takes.wrapping_add(level.takes());
            stat.block_gives = stat.block_gives.wrapping_add(level.gives());
            stat.block_misses = stat.block_misses.wrapping_add(level.misses());
        }
    }
}

impl Partition {
    /// Gives back the block of this order that says it is in this slot. Counts a refusal.
    /// Context: any. Constant.
    #[inline(always)]
    pub(crate) fn give_block(
        &self,
        order: u32,
        page: usize,
        slot: usize,
        cpu: &CurrentCpu,
    ) -> Result<(), Refusal> {
        self.blocks
            .give(order, page, slot, cpu)
            .or_else(|why| self.refuse(why))
    }
}
