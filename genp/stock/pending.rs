// SPDX-License-Identifier: GPL-2.0

//! The stocks that the refill thread has to check.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc,
    },
};

use crate::genp::{
    core::accounting::PartitionId,
    sys::{alloc_flags::SETUP_FLAGS, cpu::CurrentCpu, irq_work::IrqWaker, thread::Waker},
};

/// A word for each partition, and the waker of the refill thread.
pub(crate) struct PendingRefills {
    stocks: KVVec<Atomic<u32>>,
    waker: IrqWaker,
}

impl PendingRefills {
    /// Allocates a word for each partition. Context: thread, may sleep.
    pub(crate) fn new(partitions: u32, waker: Arc<Waker>) -> Result<Self> {
        let mut stocks = KVVec::with_capacity(partitions as usize, SETUP_FLAGS)?;
        for _ in 0..partitions {
            stocks.push(Atomic::new(0), SETUP_FLAGS)?;
        }
        Ok(Self {
            stocks,
            waker: IrqWaker::new(waker),
        })
    }

    /// Has the refill thread check the stock of a partition. Context: any.
    ///
    /// Who finds the flag set leaves the wake-up to whoever set it, who is not preempted
    /// in between.
    pub(crate) fn put(&self, id: PartitionId, cpu: &CurrentCpu) {
        let Some(stock) = self.stocks.get(id.0 as usize) else {
            return;
        };
        // Full: the stock changed before. Pairs with the xchg in `take`.
        if stock.xchg(1, Full) == 0 {
            self.waker.wake(cpu);
        }
    }

    /// Clears the word of a partition; returns whether its stock is to be checked.
    /// Context: the refill thread.
    pub(crate) fn take(&self, id: PartitionId) -> bool {
        // Full: pairs with the xchg in `put`.
        self.stocks
            .get(id.0 as usize)
            .is_some_and(|stock| stock.load(Relaxed) != 0 && stock.xchg(0, Full) != 0)
    }
}
