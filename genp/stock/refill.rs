// SPDX-License-Identifier: GPL-2.0

//! The refill thread: gives stocks that run low what nobody else needs, and takes it
//! away again.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc,
    },
};

use super::super::{
    core::books::PartitionId,
    pool::Pool,
    sys::{
        irq_work::IrqBell,
        thread::{Bell, Parker, Worker},
    },
};

/// Which stocks are to be looked at, and how the refill thread is told.
pub(crate) struct Wants {
    stocks: KVVec<Atomic<u32>>,
    bell: IrqBell,
}

impl Wants {
    /// A place for each partition. Context: thread, may sleep.
    pub(crate) fn new(partitions: u32, bell: Arc<Bell>) -> Result<Self> {
        let mut stocks = KVVec::with_capacity(partitions as usize, GFP_KERNEL)?;
        for _ in 0..partitions {
            stocks.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self {
            stocks,
            bell: IrqBell::new(bell),
        })
    }

    /// Has the refill thread look at the stock of a partition. Context: any.
    pub(crate) fn put(&self, id: PartitionId) {
        let Some(place) = self.stocks.get(id.0 as usize) else {
            return;
        };
        // Full: what passed the watermark comes before; pairs with the xchg in
        // `run`.
        if place.xchg(1, Full) == 0 {
            self.bell.ring();
        }
    }
}

/// The thread that refills and drains, SCHED_FIFO of priority `refill_prio`.
pub(crate) struct Refiller(pub(crate) Arc<Pool>);

impl Worker for Refiller {
    fn run(&self, me: &Parker) {
        let pool = &self.0;
        loop {
            for (id, place) in pool.wants.stocks.iter().enumerate() {
                // Full: pairs with `put`.
                if place.load(Relaxed) == 0 || place.xchg(0, Full) == 0 {
                    continue;
                }
                let id = PartitionId(id as u32);
                // Before the reference, which is dropped first: see `Visiting`.
                let _visit = pool.refilling.begin(id);
                if let Some(partition) = pool.roster.get(id) {
                    partition.refill_stock();
                }
            }
            if !me.park_until(u64::MAX) {
                return;
            }
        }
    }
}
