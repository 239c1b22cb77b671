// SPDX-License-Identifier: GPL-2.0

//! The post: tells pollers, readers and eventfds that a partition has events.
//!
//! How many of them there are is up to user space, so this is no work for who
//! ends leases. It goes to a thread of lower priority, through one bit for each
//! partition.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc,
    },
};

use super::{
    super::{
        core::books::PartitionId,
        sys::thread::{Bell, Parker, Worker},
    },
    Pool,
};

/// Which partitions have news: the types of events, bits 1 << type.
pub(crate) struct Outbox {
    news: KVVec<Atomic<u32>>,
    bell: Arc<Bell>,
}

impl Outbox {
    /// Allocates a place for each partition. Context: thread, may sleep.
    pub(crate) fn new(count: u32, bell: Arc<Bell>) -> Result<Self> {
        let mut news = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
        for _ in 0..count {
            news.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self { news, bell })
    }

    /// Has the post tell of events of the types in `news`, bits 1 << type.
    /// Context: any but NMI. A turn that fails means that another CPU had one that
    /// did not.
    pub(crate) fn put(&self, id: PartitionId, news: u32) {
        if let Some(place) = self.news.get(id.0 as usize) {
            let mut old = place.load(Relaxed);
            // Full, even if the bits are set already: the record was written
            // before; pairs with the xchg below.
            while let Err(now) = place.cmpxchg(old, old | news, Full) {
                old = now;
            }
        }
        self.bell.ring();
    }
}

/// The thread that delivers.
pub(crate) struct Postman(pub(crate) Arc<Pool>);

impl Worker for Postman {
    fn run(&self, me: &Parker) {
        loop {
            for (id, news) in self.0.outbox.news.iter().enumerate() {
                // Full: pairs with the cmpxchg in `put`.
                let news = news.xchg(0, Full);
                if news != 0 {
                    if let Some(partition) = self.0.roster.get(PartitionId(id as u32)) {
                        partition.deliver(news);
                    }
                }
            }
            if !me.park_until(u64::MAX) {
                return;
            }
        }
    }
}
