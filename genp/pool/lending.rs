// SPDX-License-Identifier: GPL-2.0

//! The lending state: the accounting and the tasks that wait for leases, under the one
//! lock that all partitions share.
//!
//! Under this lock there is only accounting. Frames are moved and page tables changed
//! after it is released.

use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{Atomic, Relaxed},
    },
    task::Task,
};

use super::{
    config::Config,
    ends::{Ends, OverdueLease},
    heap::PoolAccounting,
    needs::Needs,
    wakes::{Threads, Wakes},
    Wakers,
};
use crate::genp::{
    core::{
        accounting::{
            Accounting, AccountingError, DueAction, LeaseId, PartitionId, ServeResult, Tables,
            Totals,
        },
        recall_bound,
    },
    sys::{
        alloc_flags::SETUP_FLAGS,
        cpu::PreemptGuard,
        lock::{new_raw_lock, RawLock},
        table, time,
    },
};

/// What a partition may have on lease and what it has, in pages.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) limit: u32,
    pub(crate) lent: u32,
}

/// What the lending lock protects.
pub(crate) struct LendingState {
    pub(crate) accounting: PoolAccounting,
    /// The task that waits for each lease. Set by the waiter before it sleeps and taken
    /// back by it before it goes on.
    waiters: KVVec<Option<ARef<Task>>>,
    /// Who is to be woken after the lock.
    woken: Option<ARef<Task>>,
    /// The totals when a stock could not be refilled, if one could not since.
    starved: Option<Totals>,
    /// Whether another attempt is worthwhile.
    rearmed: bool,
    /// Whose call this is, to be charged if it has the refill thread woken.
    payer: Option<PartitionId>,
    /// The leases that are to be ended by force.
    ends: Ends,
    /// Whether the wake-up for a waiter that can be served was charged.
    serve_charged: bool,
    /// Whether one was added.
    handed_over: bool,
    needs: Needs,
}

/// What is due.
pub(crate) enum Due {
    /// Something to announce, of this lease.
    Announce(DueAction, OverdueLease),
    /// A lease to be ended by force, which was handed over to the revoking thread.
    HandedOver,
}

impl LendingState {
    /// Has `waiter` woken when `lease` is resolved.
    pub(crate) fn set_waiter(&mut self, lease: LeaseId, waiter: Option<ARef<Task>>) {
        if let Some(entry) = self.waiters.get_mut(lease.0 as usize) {
            *entry = waiter;
        }
    }

    /// Takes back what [`Self::set_waiter`] set. Drop it without the lending lock.
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

    /// Has the waiter for `lease`, which was resolved, woken after the lock: one at most
    /// under each.
    pub(crate) fn wake(&mut self, lease: LeaseId) {
        if let Some(waiter) = self.take_waiter(lease) {
            self.woken = Some(waiter);
        }
    }

    /// Says whose call this is, until the lock is released.
    pub(crate) fn set_payer(&mut self, id: PartitionId) {
        self.payer = Some(id);
    }

    /// Takes one step in serving the waiters; false if there is none to take.
    pub(crate) fn serve_one(&mut self, now: u64) -> bool {
        let served = self.accounting.serve(now);
        self.serve_charged = false;
        if let ServeResult::Resolved(lease) = served {
            self.wake(lease);
            self.payer = Some(self.accounting.lease(lease).partition());
        }
        served != ServeResult::Nothing
    }

    /// Whether the recall thread is to be woken after the lock, because it would sleep past
    /// the next action that is due, and the revoking thread, because there is a lease to end
    /// or a waiter can be served. Whose lease or request it is, is charged for it.
    fn wants_threads(&mut self, now: u64) -> (bool, bool) {
        let late = self.accounting.wants_recall();
        let can_serve = self.accounting.can_serve();
        // Whoever comes by until it is served finds that again, at nobody's expense.
        let first_to_see = can_serve && !self.serve_charged;
        self.serve_charged = can_serve;
        if late || first_to_see {
            self.accounting.charge_recall_wake(late, now);
        }
        (late, can_serve || ::core::mem::take(&mut self.handed_over))
    }

    /// Takes the next action that is due at `now`. A lease to be ended by force is handed
    /// over to the revoking thread. O(log leases).
    pub(crate) fn take_due(&mut self, now: u64) -> Option<Due> {
        let action = self.accounting.due(now)?;
        let (DueAction::Recall(id) | DueAction::Revoke(id) | DueAction::Report(id)) = action;
        let entry = self.accounting.lease(id);
        let lease = OverdueLease {
            partition: entry.partition(),
            handle: entry.handle(),
            expires: entry.expires(),
        };
        if !matches!(action, DueAction::Revoke(_)) {
            return Some(Due::Announce(action, lease));
        }
        self.ends.push(id, lease);
        self.handed_over = true;
        Some(Due::HandedOver)
    }

    /// The next lease to end by force. O(1).
    pub(crate) fn next_end(&mut self) -> Option<OverdueLease> {
        let next = self.ends.pop();
        if next.is_none() {
            self.needs.all_ended();
        }
        next
    }

    /// Somebody does without what leases beyond their deadline have, or waits for whoever
    /// ends them: a priority of the kernel's. O(1).
    pub(crate) fn need_ends(&mut self, prio: i32) {
        if self.ends.any() {
            self.needs.refuse(prio);
        }
    }

    /// Has all ends of leases count as needed by somebody, or no longer: they are measured.
    pub(super) fn measure_ends(&mut self, measured: bool) {
        self.needs.measure(measured);
    }

    fn wanted_prio(&self) -> i32 {
        self.needs.wanted(self.accounting.most_urgent())
    }

    /// Whether the revoking thread was given a lower priority than it should have. O(1).
    pub(crate) fn wants_raise(&self) -> bool {
        self.wanted_prio() > self.needs.given()
    }

    /// Whether it was given another one than it should have. O(1).
    pub(super) fn wants_change(&self) -> bool {
        self.wanted_prio() != self.needs.given()
    }

    /// Decides for the priority that it should have, and returns it if that is a change:
    /// the caller has it set. O(1).
    pub(super) fn decide_prio(&mut self) -> Option<i32> {
        self.needs.decide(self.accounting.most_urgent())
    }

    /// Since when requests have waited for a lease that expired at `expires` to end; never
    /// if none waits. O(1).
    pub(super) fn waited_since(&self, expires: u64) -> u64 {
        self.needs.waited_since(expires)
    }

    /// Commits `frames` more to a stock. False if there are none to spare: the refill
    /// thread is woken when it stands better than now.
    pub(crate) fn commit_spare(&mut self, id: PartitionId, frames: u32) -> bool {
        let done = self.accounting.commit_spare(id, frames).is_ok();
        if !done {
            self.starved = Some(self.accounting.totals());
        }
        done
    }

    /// Whether the refill thread is to be woken after the lock: if a stock could not be
    /// refilled and may be now. Whose call this is, is charged for it: creating and closing
    /// beside an exhausted pool is nobody else's expense.
    #[inline]
    fn wants_refill(&mut self, now: u64) -> bool {
        let Some(then) = self.starved else {
            return false;
        };
        let totals = self.accounting.totals();
        // What a refill needs: free frames, and nobody who waits for some.
        let better = totals.free > then.free
            || totals.waiters < then.waiters
            || totals.committed < then.committed;
        if better {
            self.rearm(now);
        }
        better
    }

    /// Has the refill thread try again.
    #[cold]
    #[inline(never)]
    fn rearm(&mut self, now: u64) {
        self.starved = None;
        self.rearmed = true;
        if let Some(id) = self.payer {
            self.accounting.charge_wake(id, now);
        }
    }

    /// For the refill thread: whether stocks that could not be refilled may be now. Says so
    /// once.
    pub(crate) fn take_rearmed(&mut self) -> bool {
        ::core::mem::take(&mut self.rearmed)
    }

    /// The time until which the recall thread may sleep from `now` on.
    pub(crate) fn arm(&mut self, now: u64) -> u64 {
        self.accounting.arm(now)
    }
}

/// The lending state behind its lock.
#[pin_data]
pub(crate) struct Lending {
    #[pin]
    state: RawLock<LendingState>,
    longest_ns: Atomic<u64>,
    threads: Threads,
    /// At least the number of steps that serve all waiters.
    max_serves: u32,
}

impl Lending {
    /// The state before anything is lent. ENOMEM. Context: thread, may sleep.
    pub(super) fn new<'a>(
        config: &'a Config,
        wakers: &'a Wakers,
    ) -> Result<impl PinInit<Self, Error> + 'a> {
        let limits = config.limits();
        let tables = Tables::new(&limits, config.max_partitions, config.max_leases)?;
        let waiters = table::collect((0..config.max_leases).map(|_| None), SETUP_FLAGS)?;
        let ends = Ends::new(config.max_leases)?;
        // The state is made in its place, not on the stack.
        Ok(try_pin_init!(Self {
            state <- new_raw_lock!(
                LendingState {
                    accounting: Accounting::new(limits, tables),
                    waiters,
                    woken: None,
                    starved: None,
                    rearmed: false,
                    payer: None,
                    ends,
                    serve_charged: false,
                    handed_over: false,
                    needs: Needs::none(config.revoke_prio),
                },
                "genp_lending"
            ),
            longest_ns: Atomic::new(0),
            threads: Threads {
                recall: wakers.recall.clone(),
                revoke: wakers.revoke.clone(),
                refill: wakers.refill.clone(),
            },
            max_serves: recall_bound::serves(config.max_waiters, config.max_partitions),
        }))
    }

    /// Does `work` under the lending lock. The steps of `work` must be bounded by the
    /// table of waiters. Context: any but NMI; nothing inside may sleep.
    ///
    /// Who is to be woken then, is woken after the lock, so that no wake-up is part of a
    /// section with interrupts off, and before the caller can be preempted, which might
    /// not run again for long.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut LendingState) -> R) -> R {
        self.with_time(|state, _| work(state))
    }

    /// As [`Self::with`]; `work` gets the time at which it begins.
    pub(crate) fn with_time<R>(&self, work: impl FnOnce(&mut LendingState, u64) -> R) -> R {
        let here = PreemptGuard::begin();
        let (answer, took, wakes) = {
            let mut state = self.state.lock();
            let begin = time::now();
            state.payer = None;
            let answer = work(&mut state, begin);
            let waiters = state.accounting.totals().waiters;
            state.needs.note_waiters(waiters > 0, begin);
            let (recall, revoke) = state.wants_threads(begin);
            let wakes = Wakes {
                recall,
                revoke,
                refill: state.wants_refill(begin),
                waiter: state.woken.take(),
            };
            (answer, time::now().saturating_sub(begin), wakes)
        };
        if wakes.any() {
            self.threads.wake_all(&wakes);
        }
        drop(here);
        drop(wakes);
        if took > self.longest_ns.load(Relaxed) {
            // Two writers may race and the smaller value remain: it is for people.
            self.longest_ns.store(took, Relaxed);
        }
        answer
    }

    /// The longest time [`Self::with`] held the lock.
    pub(crate) fn longest_ns(&self) -> u64 {
        self.longest_ns.load(Relaxed)
    }

    /// Resolves every waiter that can be resolved; takes the lock anew for each.
    pub(crate) fn serve(&self) {
        // loop-bound: serves
        for _ in 0..self.max_serves {
            if !self.with_time(LendingState::serve_one) {
                return;
            }
        }
    }
}

/// The error number for an error of the accounting: see `Documentation/abi.rst`.
pub(crate) fn errno(error: AccountingError) -> Error {
    use super::super::sys::errno::*;
    use AccountingError as E;

    match error {
        E::NoSpace | E::Ceiling | E::NoPartitionSlot => ENOSPC,
        E::UserPartitions | E::UserLeases | E::UserWaiters => EUSERS,
        E::Quota => EDQUOT,
        E::TooBig => E2BIG,
        E::Empty | E::Term | E::Foreign => EINVAL,
        E::Dying => EIDRM,
        E::LeaseTable | E::WaiterTable | E::InUse => EBUSY,
        E::WouldBlock | E::Waited | E::Pace => EAGAIN,
        E::Stale => ESTALE,
        _ => EINVAL,
    }
}
