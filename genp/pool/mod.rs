// SPDX-License-Identifier: GPL-2.0

//! The pool: the frames GenP took from the kernel, and who may have how many of them.

pub(crate) mod config;
pub(crate) mod lending;
pub(crate) mod pending;

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, UniqueArc,
    },
};

use crate::genp::frames::free::Store;
use crate::genp::{
    core::books::{How, LeaseId, PartitionId, Totals},
    stock::{Emergency, Wants},
    sys::{errno::EOPNOTSUPP, genalloc::PhysRange, page::Frames, thread::Bell},
};
use config::Config;
use lending::{Budget, Front};
use pending::Outbox;

/// The bells of the pool's threads, made before it and them.
pub(crate) struct Bells {
    pub(crate) recall: Arc<Bell>,
    pub(crate) post: Arc<Bell>,
    pub(crate) scrub: Arc<Bell>,
    pub(crate) refill: Arc<Bell>,
}

impl Bells {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            recall: Bell::new()?,
            post: Bell::new()?,
            scrub: Bell::new()?,
            refill: Bell::new()?,
        })
    }
}

/// The pool.
#[pin_data]
pub(crate) struct Pool {
    pub(crate) config: Config,
    #[pin]
    pub(crate) store: Store,
    #[pin]
    pub(crate) front: Front,
    pub(crate) outbox: Outbox,
    pub(crate) bells: Bells,
    pub(crate) emergency: Option<Emergency>,
    /// The physical range that partitions can be created in.
    pub(crate) range: Option<Arc<PhysRange>>,
    /// The stocks that the refill thread is to look at.
    pub(crate) wants: Wants,
    /// The longest time from the deadline of a lease to its frames being free.
    recall_worst_ns: Atomic<u64>,
}

/// How it stands when the frames of a lease are back.
#[must_use]
pub(crate) struct Credit {
    /// Whether somebody was served, and others may be: by [`Pool::serve`], with no
    /// lock held.
    pub(crate) waiters: bool,
    /// The budget of who had the lease.
    pub(crate) budget: Budget,
}

/// Takes the physical range that was given at load, if any.
fn claim_range(config: &Config) -> Result<Option<Arc<PhysRange>>> {
    let Some((base, bytes)) = config.range else {
        return Ok(None);
    };
    let range = PhysRange::claim(base, bytes).inspect_err(|error| {
        let why = match *error {
            EBUSY => "somebody has it; reserve it with memmap= or in the device tree",
            ENXIO => "there is no memory",
            EOPNOTSUPP => "the kernel has no genalloc",
            _ => "it cannot be mapped",
        };
        pr_err!("range_base={base:#x} range_mib={}: {why}\n", bytes >> 20);
    })?;
    Ok(Some(Arc::new(range, GFP_KERNEL)?))
}

impl Pool {
    /// Takes the pool's memory from the kernel. Context: thread, may sleep.
    pub(crate) fn new(config: Config, bells: Bells) -> Result<Arc<Self>> {
        let frames = Frames::allocate(config.capacity.saturating_add(config.emergency))?;
        let range = claim_range(&config)?;
        let wants = Wants::new(config.max_partitions, bells.refill.clone())?;
        let store = Store::new(frames, config.max_partitions, bells.scrub.clone())?;
        let front = Front::new(&config, bells.recall.clone())?;
        let outbox = Outbox::new(config.max_partitions, bells.post.clone())?;
        let mut pool = UniqueArc::pin_init(
            try_pin_init!(Self {
                store <- store,
                front <- front,
                outbox,
                bells,
                emergency: None,
                range,
                wants,
                config,
                recall_worst_ns: Atomic::new(0),
            }),
            GFP_KERNEL,
        )?;
        pool.as_mut().set_up_emergency()?;
        Ok(pool.into())
    }

    /// Sets the emergency stock aside, if there is to be one.
    fn set_up_emergency(self: Pin<&mut Self>) -> Result {
        let pages = self.config.emergency;
        if pages > 0 {
            let emergency = Emergency::new(pages, &self.store)?;
            *self.project().emergency = Some(emergency);
        }
        Ok(())
    }

    pub(crate) fn totals(&self) -> Totals {
        self.front.with(|desk| desk.books.totals())
    }

    /// R, in nanoseconds.
    pub(crate) fn recall_worst_ns(&self) -> u64 {
        self.recall_worst_ns.load(Relaxed)
    }

    /// The longest wait of the first waiter: see `Documentation/wait-bound.rst`.
    pub(crate) fn wait_bound_ns(&self) -> u64 {
        self.config
            .max_lease_ns
            .saturating_add(self.recall_worst_ns())
    }

    /// Tells the desk that the frames of `lease`, which expired or expires at
    /// `expires`, lie in the store again, and lets them go to the first one who
    /// waits. Context: thread.
    pub(crate) fn credit(&self, lease: LeaseId, how: How, expires: u64) -> Credit {
        self.front.with_time(|desk, now| {
            let entry = desk.books.lease(lease);
            let (firm, borrower) = (entry.is_firm(), entry.partition());
            desk.books.credit(lease, how);
            // Under the lock, so that the larger one stays. Nobody counts on what a
            // driver has.
            let late = now.saturating_sub(expires);
            if !firm && late > self.recall_worst_ns.load(Relaxed) {
                self.recall_worst_ns.store(late, Relaxed);
            }
            Credit {
                waiters: desk.serve_one(now),
                budget: desk.budget(borrower),
            }
        })
    }

    /// Hands frames that came free to who waits. Context: thread.
    pub(crate) fn serve(&self) {
        self.front.serve();
    }

    /// Gives `frames` of a reserve back to the pool; they lie in the store
    /// already. Context: thread.
    pub(crate) fn release(&self, id: PartitionId, frames: u32) {
        if frames == 0 {
            return;
        }
        // The books refuse only what was never committed.
        let _ = self.front.with(|desk| desk.books.commit_less(id, frames));
        self.serve();
    }
}
