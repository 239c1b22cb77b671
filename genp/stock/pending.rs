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
    sys::{alloc_flags::SETUP_FLAGS, cpu::CurrentCpu, irq_work::IrqWaker, table, thread::Waker},
};

/// A word for each partition, and the waker of the refill thread.
pub(crate) struct PendingRefills {
    stocks: KVVec<Atomic<u32>>,
    /// Those that were looked at in vain: another miss is no news.
    starved: KVVec<Atomic<u32>>,
    waker: IrqWaker,
}

impl PendingRefills {
    /// Allocates a word for each partition. Context: thread, may sleep.
    pub(crate) fn new(partitions: u32, waker: Arc<Waker>) -> Result<Self> {
        let words = || table::collect((0..partitions).map(|_| Atomic::new(0)), SETUP_FLAGS);
        Ok(Self {
            stocks: words()?,
            starved: words()?,
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

    /// As [`Self::put`], for a take that found nothing: not if a refill found nothing
    /// either and nothing has changed since. However often somebody takes from an empty
    /// stock, the thread looks twice. Context: any.
    pub(crate) fn put_missed(&self, id: PartitionId, cpu: &CurrentCpu) {
        let starved = self.starved.get(id.0 as usize);
        // Relaxed: whoever sees an old value has the thread look once more.
        if starved.is_some_and(|starved| starved.load(Relaxed) == 0) {
            self.put(id, cpu);
        }
    }

    /// Notes whether a refill was in vain. Context: the refill thread.
    pub(crate) fn set_starved(&self, id: PartitionId, in_vain: bool) {
        if let Some(starved) = self.starved.get(id.0 as usize) {
            starved.store(in_vain.into(), Relaxed);
        }
    }

    /// Has all stocks looked at that were in vain: frames came free. Context: the refill
    /// thread.
    pub(crate) fn rearm(&self) {
        for (stock, starved) in self.stocks.iter().zip(self.starved.iter()) {
            if starved.load(Relaxed) != 0 {
                starved.store(0, Relaxed);
                stock.store(1, Relaxed);
            }
        }
    }

    /// Waits for a ring that is on its way, when there is no partition any more. Context:
    /// thread, may sleep.
    pub(crate) fn quiesce(&self) {
        self.waker.quiesce();
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
