// SPDX-License-Identifier: GPL-2.0

//! The pool: the frames that GenP took from the kernel, and their accounting.

pub(crate) mod account;
pub(crate) mod blocks;
mod bounds;
pub(crate) mod config;
pub(crate) mod ends;
mod heap;
mod intake;
pub(crate) mod lending;
mod needs;
pub(crate) mod pending;
mod poison;
mod urgency;
mod wakes;

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, UniqueArc,
    },
};

use crate::genp::frames::free::{FreeFrames, Released};
use crate::genp::{
    core::accounting::{EndReason, LeaseId, PartitionId, Totals},
    stock::{Emergency, PendingRefills},
    sys::{
        errno::EOPNOTSUPP, genalloc::PhysRange, memory_error::ErrorReports, task, thread::Waker,
    },
};
use blocks::BlockPool;
use bounds::RecallCosts;
use config::Config;
use lending::{Budget, Lending};
use pending::PendingEvents;
use urgency::Urgency;

/// The wakers of the threads, which are made before the pool and the threads are.
pub(crate) struct Wakers {
    pub(crate) recall: Arc<Waker>,
    pub(crate) revoke: Arc<Waker>,
    pub(crate) notify: Arc<Waker>,
    pub(crate) scrub: Arc<Waker>,
    pub(crate) refill: Arc<Waker>,
    pub(crate) errors: Arc<Waker>,
}

impl Wakers {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            recall: Waker::new()?,
            revoke: Waker::new()?,
            notify: Waker::new()?,
            scrub: Waker::new()?,
            refill: Waker::new()?,
            errors: Waker::new()?,
        })
    }
}

/// The pool.
#[pin_data]
pub(crate) struct Pool {
    pub(crate) config: Config,
    #[pin]
    pub(crate) free_frames: FreeFrames,
    /// Contiguous blocks that are in no partition.
    pub(crate) blocks: Pin<KBox<BlockPool>>,
    #[pin]
    pub(crate) lending: Lending,
    /// The priority of the revoking thread.
    #[pin]
    urgency: Urgency,
    pub(crate) pending_events: PendingEvents,
    pub(crate) wakers: Wakers,
    pub(crate) emergency: Option<Emergency>,
    /// The physical range that partitions can be created in.
    pub(crate) range: Option<Arc<PhysRange>>,
    /// The stocks that the refill thread has to check.
    pub(crate) pending_refills: PendingRefills,
    /// Memory errors that the kernel reported.
    pub(crate) errors: Arc<ErrorReports>,
    /// What the steps of a recall cost.
    pub(crate) costs: RecallCosts,
    /// The longest time from the deadline of a lease to its frames being free, so far.
    recall_worst_ns: Atomic<u64>,
}

/// What changed when the frames of a lease came back.
#[must_use]
pub(crate) struct ReturnEffect {
    /// Whether a waiter was served. Others may follow: the caller calls
    /// [`Pool::serve`], with no lock held.
    pub(crate) waiters: bool,
    /// The budget of the partition that had the lease.
    pub(crate) budget: Budget,
}

/// Claims the physical range that was given at load, if any.
fn claim_range(config: &Config) -> Result<Option<Arc<PhysRange>>> {
    let Some((base, bytes)) = config.range else {
        return Ok(None);
    };
    let range = PhysRange::claim(base, bytes).inspect_err(|error| {
        let why = match *error {
            EBUSY => "it is in use; reserve it with memmap= or in the device tree",
            EPERM => "it is not reserved memory, or is a device's",
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
    #[inline(never)] // What it has on the stack is gone when the threads are made.
    pub(crate) fn new(config: Config, wakers: Wakers) -> Result<Arc<Self>> {
        let frames = intake::take(&config)?;
        let range = claim_range(&config)?;
        let pending_refills = PendingRefills::new(config.max_partitions, wakers.refill.clone())?;
        let blocks = BlockPool::new(&config.blocks, &frames)?;
        let free_frames = FreeFrames::new(frames, config.max_partitions, wakers.scrub.clone())?;
        let pending_events = PendingEvents::new(config.max_partitions, wakers.notify.clone())?;
        let errors = Arc::new(ErrorReports::new(wakers.errors.clone()), GFP_KERNEL)?;
        let mut pool = UniqueArc::pin_init(
            try_pin_init!(Self {
                free_frames <- free_frames,
                blocks,
                lending <- Lending::new(&config, &wakers)?,
                urgency <- Urgency::new(wakers.revoke.clone()),
                pending_events,
                wakers,
                emergency: None,
                range,
                pending_refills,
                costs: RecallCosts::new(config.costs),
                config,
                errors,
                recall_worst_ns: Atomic::new(0),
            }),
            GFP_KERNEL,
        )?;
        pool.as_mut().set_up_emergency()?;
        Ok(pool.into())
    }

    /// Fills the emergency stock, if there is to be one.
    fn set_up_emergency(self: Pin<&mut Self>) -> Result {
        let pages = self.config.emergency;
        if pages > 0 {
            let emergency = Emergency::new(pages, &self.free_frames)?;
            *self.project().emergency = Some(emergency);
        }
        Ok(())
    }

    pub(crate) fn totals(&self) -> Totals {
        self.lending.with(|state| state.accounting.totals())
    }

    /// How often something was refused for a ceiling of a user.
    pub(crate) fn ceiling_refusals(&self) -> u64 {
        self.lending
            .with(|state| state.accounting.ceiling_refusals())
    }

    /// The longest recall so far, in nanoseconds.
    pub(crate) fn recall_worst_ns(&self) -> u64 {
        self.recall_worst_ns.load(Relaxed)
    }

    /// Forgets the longest recall, and what a partition that measures caused. Context:
    /// thread, at load.
    pub(crate) fn forget_recalls(&self, id: PartitionId) {
        self.lending.with(|state| {
            state.accounting.forget_pace(id);
            self.recall_worst_ns.store(0, Relaxed);
        });
    }

    /// Has leases end, and their ends counted, as if somebody waited for each; or no longer.
    /// Context: thread, at load.
    pub(crate) fn measure_recalls(&self, measured: bool) {
        self.lending.with(|state| state.measure_ends(measured));
        self.raise_urgency();
    }

    /// Accounts for the return of the frames of `lease`, whose deadline is or was
    /// `expires` and whose frames are free again, but `poisoned` of them, and serves the
    /// first waiter with them. Context: thread.
    pub(crate) fn complete_return(
        &self,
        lease: LeaseId,
        reason: EndReason,
        expires: u64,
        poisoned: u32,
    ) -> ReturnEffect {
        self.lending.with_time(|state, now| {
            let entry = state.accounting.lease(lease);
            let (non_revocable, borrower) = (entry.is_non_revocable(), entry.partition());
            state.set_payer(borrower);
            state.accounting.complete_return(lease, reason);
            state.accounting.retire(poisoned);
            // Under the lock, so that the larger value remains. Leases of drivers do not
            // count: no bound includes them. Nor do those that nobody waits for, and which
            // may end later.
            let late = now.saturating_sub(state.waited_since(expires));
            if !non_revocable && late > self.recall_worst_ns.load(Relaxed) {
                self.recall_worst_ns.store(late, Relaxed);
            }
            ReturnEffect {
                waiters: state.serve_one(now),
                budget: state.budget(borrower),
            }
        })
    }

    /// Has leases beyond their deadline ended at the priority of whoever needs that: for
    /// whom [`lending::LendingState::wants_raise`]. Context: thread, may sleep.
    pub(crate) fn raise_urgency(&self) {
        self.urgency.settle(&self.lending);
    }

    /// Gives the revoking thread the priority that is wanted now. Context: that thread.
    pub(crate) fn settle_urgency(&self) {
        if self.lending.with(|state| state.wants_change()) {
            self.urgency.settle(&self.lending);
        }
    }

    /// The caller does without what leases beyond their deadline have, or waits until the
    /// revoking thread is done. Context: thread, may sleep.
    pub(crate) fn need_ends(&self) {
        let prio = task::current_prio();
        let raise = self.lending.with(|state| {
            state.need_ends(prio);
            state.wants_raise()
        });
        if raise {
            self.raise_urgency();
        }
    }

    /// Has those told of events of these types, bits 1 << type, of a partition whom the
    /// notify thread does not tell, by the thread that looks for memory errors: it has
    /// ordinary priority. Context: thread.
    pub(crate) fn tell_crowd(&self, id: PartitionId, types: u32) {
        self.pending_events.put_crowd(id, types);
        self.wakers.errors.wake();
    }

    /// Hands out frames that became free to waiters. Context: thread.
    pub(crate) fn serve(&self) {
        self.lending.serve();
    }

    /// Uncommits frames of a reserve, which are among the free frames already, or are
    /// retired. Context: thread.
    pub(crate) fn release(&self, id: PartitionId, released: Released) {
        if released.frames() == 0 {
            return;
        }
        self.lending.with(|state| {
            state.set_payer(id);
            // Refused only for frames that were never committed.
            let _ = state.accounting.commit_less(id, released.frames());
            state.accounting.retire(released.poisoned);
        });
        self.serve();
    }
}
