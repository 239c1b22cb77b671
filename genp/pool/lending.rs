// SPDX-License-Identifier: GPL-2.0

//! The desk: the accounting and who sleeps until they change, under the one lock
//! that all partitions share.
//!
//! Nothing is done here but counting. A caller asks, leaves the desk, and moves
//! frames and page tables afterwards.

use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{Atomic, Relaxed},
        Arc,
    },
    task::Task,
};

use super::config::Config;
use crate::genp::{
    core::accounting::{
        self, Account, Accounting, Lease, LeaseId, Limits, PartitionId, ServeResult,
    },
    sys::{
        lock::{new_raw_lock, RawLock},
        thread::Waker,
        time,
    },
};

/// The accounting with its tables on the kernel's heap.
pub(crate) type PoolAccounting = Accounting<KVVec<Account>, KVVec<Lease>, KVVec<u32>>;

/// What a partition may have on lease and what it has, in pages.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) limit: u32,
    pub(crate) lent: u32,
}

/// What stands on the desk.
pub(crate) struct LendingState {
    pub(crate) accounting: PoolAccounting,
    /// Who waits for a lease, by lease. Set by the waiter before it sleeps and
    /// taken back by it before it goes on.
    waiters: KVVec<Option<ARef<Task>>>,
    /// When the recall thread will look at the accounting by itself.
    armed: u64,
    recall: Arc<Waker>,
}

impl LendingState {
    /// Lets `sleeper` be woken when `lease` is resolved.
    pub(crate) fn set_waiter(&mut self, lease: LeaseId, waiter: Option<ARef<Task>>) {
        if let Some(place) = self.waiters.get_mut(lease.0 as usize) {
            *place = waiter;
        }
    }

    /// Takes back what [`Self::set_waiter`] left. Drop it off the desk.
    pub(crate) fn take_waiter(&mut self, lease: LeaseId) -> Option<ARef<Task>> {
        self.waiters.get_mut(lease.0 as usize)?.take()
    }

    /// The budget of a partition. O(1).
    pub(crate) fn budget(&self, id: PartitionId) -> Budget {
        let account = self.accounting.account(id);
        Budget {
            limit: account.limit(),
            lent: account.lent(),
        }
    }

    /// Wakes who waits for `lease`.
    pub(crate) fn wake(&self, lease: LeaseId) {
        if let Some(Some(waiter)) = self.waiters.get(lease.0 as usize) {
            waiter.wake_up();
        }
    }

    /// Does one thing for those who wait; false if there is nothing to do.
    pub(crate) fn serve_one(&mut self, now: u64) -> bool {
        let served = self.accounting.serve(now);
        if let ServeResult::Resolved(lease) = served {
            self.wake(lease);
        }
        served != ServeResult::Nothing
    }

    /// Rings the recall thread if it sleeps past the next thing that is due, or if
    /// somebody could be served.
    fn wake_recall(&mut self) {
        let due = self.accounting.next_due().unwrap_or(u64::MAX);
        let late = due < self.armed;
        if late {
            self.armed = due;
        }
        if late || self.accounting.can_serve() {
            self.recall.wake();
        }
    }

    /// For the recall thread: until when it may sleep.
    pub(crate) fn arm(&mut self) -> u64 {
        self.armed = self.accounting.next_due().unwrap_or(u64::MAX);
        self.armed
    }
}

/// The desk behind its lock.
#[pin_data]
pub(crate) struct Lending {
    #[pin]
    state: RawLock<LendingState>,
    longest_ns: Atomic<u64>,
    /// More turns than it takes to serve everybody.
    max_serves: u32,
}

/// A table of `count` times `value`. Context: thread, may sleep.
fn table<T: Clone>(count: u32, value: T) -> Result<KVVec<T>> {
    Ok(KVVec::from_elem(value, count as usize, GFP_KERNEL)?)
}

impl Lending {
    /// Sets the desk up. Context: thread, may sleep.
    pub(crate) fn new(config: &Config, recall: Arc<Waker>) -> Result<impl PinInit<Self, Error>> {
        let limits = Limits {
            capacity: config.capacity,
            max_waiters: config.max_waiters,
            order: config.order,
            max_lease_ns: config.max_lease_ns,
            grace_ns: config.grace_ns,
        };
        let accounting = Accounting::new(
            limits,
            table(config.max_partitions, Account::EMPTY)?,
            table(config.max_leases, Lease::EMPTY)?,
            table(config.max_leases, 0u32)?,
        )
        .map_err(errno)?;
        let mut waiters = KVVec::with_capacity(config.max_leases as usize, GFP_KERNEL)?;
        for _ in 0..config.max_leases {
            waiters.push(None, GFP_KERNEL)?;
        }
        let state = LendingState {
            accounting,
            waiters,
            armed: u64::MAX,
            recall,
        };
        // A waiter is moved once and resolved once; an account may be hopeful in
        // vain.
        let max_serves = 2 * config.max_waiters + config.max_partitions;
        Ok(try_pin_init!(Self {
            state <- new_raw_lock!(state, "genp_lending"),
            longest_ns: Atomic::new(0),
            max_serves,
        }))
    }

    /// Does `work` at the desk, whose steps are bounded by the size of the table
    /// of waiters. Context: any but NMI; nothing inside may sleep.
    ///
    /// The recall thread is told under the same lock of what it must do then, for
    /// the caller may be kept from running at any time after it.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut LendingState) -> R) -> R {
        self.with_time(|state, _| work(state))
    }

    /// As [`Self::with`]; `work` gets the time at which it begins.
    pub(crate) fn with_time<R>(&self, work: impl FnOnce(&mut LendingState, u64) -> R) -> R {
        let (answer, took) = {
            let mut state = self.state.lock();
            let begin = time::now();
            let answer = work(&mut state, begin);
            state.wake_recall();
            (answer, time::now().saturating_sub(begin))
        };
        if took > self.longest_ns.load(Relaxed) {
            // Two writers may race and the smaller one win: a figure for people.
            self.longest_ns.store(took, Relaxed);
        }
        answer
    }

    /// The longest time [`Self::with`] held the lock.
    pub(crate) fn longest_ns(&self) -> u64 {
        self.longest_ns.load(Relaxed)
    }

    /// Resolves every waiter that can be, one under each lock.
    pub(crate) fn serve(&self) {
        for _ in 0..self.max_serves {
            if !self.with_time(LendingState::serve_one) {
                return;
            }
        }
    }
}

/// The error number for an error of the accounting: see `Documentation/abi.rst`.
pub(crate) fn errno(error: accounting::AccountingError) -> Error {
    use super::super::sys::errno::*;
    use accounting::AccountingError as E;

    match error {
        E::NoSpace | E::Ceiling | E::NoPartitionSlot => ENOSPC,
        E::Quota => EDQUOT,
        E::TooBig => E2BIG,
        E::Empty | E::Term | E::Foreign => EINVAL,
        E::Dying => EIDRM,
        E::LeaseTable | E::WaiterTable => EBUSY,
        E::WouldBlock | E::Waited => EAGAIN,
        E::Stale => ESTALE,
        _ => EINVAL,
    }
}
