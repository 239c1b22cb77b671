// SPDX-License-Identifier: GPL-2.0

//! Requests: taken in, made to wait, served, given up.

use core::ops::DerefMut;

use super::{
    Account, Begun, Books, Error, Frames, Lease, LeaseId, PartitionId, Reasons, Served, State,
    Verdict, NONE,
};

impl<A, L, H> Books<A, L, H>
where
    A: DerefMut<Target = [Account]>,
    L: DerefMut<Target = [Lease]>,
    H: DerefMut<Target = [u32]>,
{
    /// Takes a request in: grants it if it can be granted now and nobody stands
    /// before it, lets it wait otherwise if it may. As many steps as there are
    /// waiters, to find its place among them.
    #[allow(clippy::too_many_arguments)] // What a request is made of.
    pub fn borrow(
        &mut self,
        p: PartitionId,
        frames: Frames,
        prio: i32,
        reasons: Reasons,
        may_wait: bool,
        now: u64,
        term: u64,
    ) -> Result<Begun, Error> {
        let outcome = self.consider(p, frames, prio, reasons, may_wait, term);
        let state = match outcome {
            Ok(state) => state,
            Err(error) => {
                let counters = &mut self.account_of(p).counters;
                match error {
                    Error::Quota => counters.budget_refusals += 1,
                    Error::WouldBlock => counters.pool_refusals += 1,
                    Error::LeaseTable | Error::WaiterTable => counters.table_refusals += 1,
                    _ => {}
                }
                return Err(error);
            }
        };
        let index = self.take_lease(p, frames, reasons);
        self.arrivals += 1;
        let arrival = self.arrivals;
        let lease = self.lease_mut(index);
        lease.prio = prio;
        lease.arrival = arrival;
        lease.term = term;
        match state {
            State::Active => {
                self.account_of(p).charged += frames;
                self.grant(index, now);
            }
            state => self.wait(index, state),
        }
        let lease = self.entry(index);
        Ok(Begun {
            lease: LeaseId(index),
            slice: lease.slice,
            handle: lease.handle,
            granted: (state == State::Active).then_some(lease.expires),
        })
    }

    /// Decides what becomes of a request: `Active`, `PoolWait`, `BudgetWait`, or
    /// refused. O(1).
    fn consider(
        &self,
        p: PartitionId,
        frames: Frames,
        prio: i32,
        reasons: Reasons,
        may_wait: bool,
        term: u64,
    ) -> Result<State, Error> {
        let account = self.account(p);
        if frames == 0 {
            return Err(Error::Empty);
        }
        if account.dying {
            return Err(Error::Dying);
        }
        if frames > account.limit {
            return Err(Error::TooBig);
        }
        if term == 0 || term > self.limits.max_lease_ns {
            return Err(Error::Term);
        }
        // Who waits for this budget already is not overtaken.
        let newest = u64::MAX;
        let first = account.queue.is_empty() || self.precedes(prio, newest, account.queue.head);
        let affords = account.affords(frames) && first;
        let waits_for_budget = may_wait && reasons.budget;
        if !(affords || waits_for_budget) {
            return Err(Error::Quota);
        }
        if self.unused == NONE || account.leases() >= account.max_leases {
            return Err(Error::LeaseTable);
        }
        let first = self.hopeful == NONE
            && (self.queue.is_empty() || self.precedes(prio, newest, self.queue.head));
        let state = match affords {
            true if first && frames <= self.totals.free => return Ok(State::Active),
            true if !(may_wait && reasons.pool) => return Err(Error::WouldBlock),
            true => State::PoolWait,
            false => State::BudgetWait,
        };
        // Would wait in vain, and keep all behind it waiting.
        if reasons.pool && frames > self.totals.lendable() {
            return Err(Error::TooBig);
        }
        if self.totals.waiters >= self.limits.max_waiters {
            return Err(Error::WaiterTable);
        }
        Ok(state)
    }

    fn wait(&mut self, index: u32, state: State) {
        let p = self.entry(index).partition;
        self.account_of(p).counters.waits += 1;
        if state == State::PoolWait {
            self.join_pool_queue(index);
            return;
        }
        self.lease_mut(index).state = state;
        let queue = self.account(p).queue;
        let queue = self.enqueue(queue, index);
        let account = self.account_of(p);
        account.queue = queue;
        account.waiting += 1;
        self.totals.waiters += 1;
    }

    /// Gives a request its frames, which are free and charged to its partition.
    fn grant(&mut self, index: u32, now: u64) {
        let lease = self.lease_mut(index);
        lease.state = State::Active;
        lease.seen = false;
        lease.expires = now.saturating_add(lease.term);
        let (p, frames, expires) = (lease.partition, lease.frames, lease.expires);
        let account = self.account_of(p);
        account.lent += frames;
        account.lent_peak = account.lent_peak.max(account.lent);
        account.counters.borrows += 1;
        self.totals.lent += frames;
        self.totals.free -= frames;
        self.schedule(index, expires.saturating_sub(self.limits.grace_ns));
    }

    /// Takes a waiting request out of its queue and gives its charge up.
    pub(super) fn unlink(&mut self, index: u32) {
        let lease = *self.entry(index);
        let p = lease.partition;
        if lease.state == State::PoolWait {
            self.queue = self.dequeue(self.queue, index);
            self.impatient -= u32::from(!lease.reasons.pool);
            self.account_of(p).charged -= lease.frames;
        } else {
            let queue = self.account(p).queue;
            let queue = self.dequeue(queue, index);
            self.account_of(p).queue = queue;
        }
        self.account_of(p).waiting -= 1;
        self.totals.waiters -= 1;
    }

    /// Notes that a partition may have budget for who waits for it, and moves the
    /// first one. As many steps as there are waiters.
    pub(super) fn promote(&mut self, p: PartitionId) {
        self.hope(p);
        self.promote_next();
    }

    /// Puts an account on the chain of the hopeful if its first waiter could have
    /// its budget. O(1).
    fn hope(&mut self, p: PartitionId) {
        let account = self.account(p);
        let head = account.queue.head;
        if account.hopeful || head == NONE || !account.affords(self.entry(head).frames) {
            return;
        }
        let next = core::mem::replace(&mut self.hopeful, p.0);
        let account = self.account_of(p);
        account.hopeful = true;
        account.next_hopeful = next;
    }

    /// Moves one request for which its partition has budget to the pool's queue,
    /// where it keeps its arrival; false if no account is hopeful. As many steps
    /// as there are waiters.
    fn promote_next(&mut self) -> bool {
        if self.hopeful == NONE {
            return false;
        }
        let p = PartitionId(self.hopeful);
        let account = self.account_of(p);
        account.hopeful = false;
        self.hopeful = account.next_hopeful;
        let index = self.account(p).queue.head;
        if index == NONE || !self.account(p).affords(self.entry(index).frames) {
            return true;
        }
        self.unlink(index);
        self.join_pool_queue(index);
        self.hope(p);
        true
    }

    /// Lets a request that has its budget wait for frames. Who would not wait for
    /// them is refused by [`Self::serve`] unless they are there.
    fn join_pool_queue(&mut self, index: u32) {
        let lease = self.lease_mut(index);
        lease.state = State::PoolWait;
        let Lease {
            partition,
            frames,
            reasons,
            ..
        } = *lease;
        let account = self.account_of(partition);
        account.charged += frames;
        account.waiting += 1;
        self.totals.waiters += 1;
        self.impatient += u32::from(!reasons.pool);
        self.queue = self.enqueue(self.queue, index);
    }

    /// Whether [`Self::serve`] would do anything. O(1).
    pub fn can_serve(&self) -> bool {
        let head = self.queue.head;
        let resolves = |frames| frames <= self.totals.free || frames > self.totals.lendable();
        self.hopeful != NONE
            || head != NONE && (self.impatient > 0 || resolves(self.entry(head).frames))
    }

    /// Does one thing for those who wait, if there is one: the caller wakes who is
    /// resolved, and calls again. Only the head of the pool's queue is ever
    /// granted, so nobody overtakes it, however small. As many steps as there are
    /// waiters.
    pub fn serve(&mut self, now: u64) -> Served {
        if self.promote_next() {
            return Served::Moved;
        }
        let index = self.queue.head;
        if index == NONE {
            return Served::Nothing;
        }
        if self.entry(index).frames > self.totals.lendable() {
            // What it waits for is overdue. It does not keep those behind waiting.
            return self.refuse(index);
        }
        if self.entry(index).frames > self.totals.free {
            return self.refuse_impatient();
        }
        // The charge stays: it was made when the request came into the queue.
        let (p, frames) = (self.entry(index).partition, self.entry(index).frames);
        self.unlink(index);
        self.account_of(p).charged += frames;
        self.grant(index, now);
        Served::Resolved(LeaseId(index))
    }

    /// Refuses one of those who have their budget and would not wait for frames.
    fn refuse_impatient(&mut self) -> Served {
        if self.impatient == 0 {
            return Served::Nothing;
        }
        let mut index = self.queue.head;
        while index != NONE && self.entry(index).reasons.pool {
            index = self.entry(index).next;
        }
        match index {
            NONE => Served::Nothing,
            index => self.refuse(index),
        }
    }

    /// Refuses a request in the pool's queue. As many steps as there are waiters.
    fn refuse(&mut self, index: u32) -> Served {
        self.unlink(index);
        let p = self.entry(index).partition;
        self.lease_mut(index).state = State::Refused;
        self.account_of(p).counters.pool_refusals += 1;
        // Its charge may be another one's budget.
        self.hope(p);
        Served::Resolved(LeaseId(index))
    }

    /// What became of a request. O(1).
    pub fn verdict(&self, lease: LeaseId) -> Verdict {
        let entry = self.entry(lease.0);
        match entry.state {
            State::BudgetWait | State::PoolWait => Verdict::Waiting,
            State::Active | State::Recalled | State::Overdue | State::Ending => Verdict::Granted {
                expires: entry.expires,
            },
            State::Died => Verdict::Died,
            State::Refused => Verdict::Refused,
            State::Over | State::Unused => Verdict::Ended,
        }
    }

    /// Its borrower gives a request up or comes for it: says what became of it. A
    /// granted lease stays, any other one is gone. Call [`Self::serve`]
    /// afterwards. As many steps as there are waiters.
    pub fn leave(&mut self, lease: LeaseId) -> Verdict {
        let index = lease.0;
        let verdict = self.verdict(lease);
        let entry = *self.entry(index);
        if entry.waits() {
            self.unlink(index);
        }
        match entry.state {
            State::BudgetWait | State::PoolWait | State::Died | State::Refused => {
                self.leave_slice(index);
                self.drop_lease(index);
                self.promote(entry.partition);
            }
            State::Over => self.drop_lease(index),
            _ => {}
        }
        verdict
    }

    /// The borrower of a granted lease acknowledges it: says whether it still runs.
    /// O(1).
    pub fn settle(&mut self, lease: LeaseId) -> Verdict {
        let entry = self.lease_mut(lease.0);
        match entry.state {
            // An overdue one as well: only its driver can give it back.
            State::Active | State::Recalled | State::Overdue => {
                entry.seen = true;
                Verdict::Granted {
                    expires: entry.expires,
                }
            }
            State::Ending => {
                entry.seen = true;
                Verdict::Ended
            }
            _ => self.leave(lease),
        }
    }
}
