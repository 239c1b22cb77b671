// SPDX-License-Identifier: GPL-2.0

//! Which stocks the refill thread is to look at.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc,
    },
};

use crate::genp::{
    core::accounting::PartitionId,
    sys::{irq_work::IrqWaker, thread::Waker},
};

/// The stocks to be looked at, and how the refill thread is told.
pub(crate) struct PendingRefills {
    stocks: KVVec<Atomic<u32>>,
    waker: IrqWaker,
}

impl PendingRefills {
    /// Allocates a word for each partition. Context: thread, may sleep.
    pub(crate) fn new(partitions: u32, waker: Arc<Waker>) -> Result<Self> {
        let mut stocks = KVVec::with_capacity(partitions as usize, GFP_KERNEL)?;
        for _ in 0..partitions {
            stocks.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self {
            stocks,
            waker: IrqWaker::new(waker),
        })
    }

    /// Has the refill thread look at the stock of a partition. Context: any.
    pub(crate) fn put(&self, id: PartitionId) {
        let Some(stock) = self.stocks.get(id.0 as usize) else {
            return;
        };
        // Full: what crossed the watermark comes before. Pairs with the xchg in `take`.
        if stock.xchg(1, Full) == 0 {
            self.waker.wake();
        }
    }

    /// Whether the stock of a partition is to be looked at; it is not any longer then.
    /// Context: the refill thread.
    pub(crate) fn take(&self, id: PartitionId) -> bool {
        // Full: pairs with the xchg in `put`.
        self.stocks
            .get(id.0 as usize)
            .is_some_and(|stock| stock.load(Relaxed) != 0 && stock.xchg(0, Full) != 0)
    }
}
