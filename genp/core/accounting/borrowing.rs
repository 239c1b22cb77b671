// SPDX-License-Identifier: GPL-2.0

//! Requests: accepted, made to wait, served, withdrawn.

use super::{
    super::count::Count,
    waiters::{Waiter, WaiterId},
    Accounting, AccountingError, BorrowTicket, Frames, Lease, LeaseId, LeaseState, Memory,
    PartitionId, RequestOutcome, ServeResult, WaitReasons, NONE,
};

impl<M: Memory> Accounting<M> {
    /// Accepts a request for a lease of `frames` frames: grants it if it can be granted
    /// now and no waiter comes first, otherwise makes it wait if it may. A lower `prio`
    /// is more urgent. `now` and `term` are in nanoseconds. O(log leases + log waiters).
    ///
    /// Errors: [`AccountingError::Empty`], [`AccountingError::Dying`],
    /// [`AccountingError::TooBig`], [`AccountingError::Term`],
    /// [`AccountingError::Quota`], [`AccountingError::LeaseTable`],
    /// [`AccountingError::WouldBlock`], [`AccountingError::WaiterTable`],
    /// [`AccountingError::UserWaiters`], [`AccountingError::Pace`].
    #[allow(clippy::too_many_arguments)] // The parts of a request.
    pub fn borrow(
        &mut self,
        p: PartitionId,
        frames: Frames,
        prio: i32,
        reasons: WaitReasons,
        may_wait: bool,
        now: u64,
        term: u64,
    ) -> Result<BorrowTicket, AccountingError> {
        let outcome = self
            .first_state(p, frames, prio, reasons, may_wait, term)
            .and_then(|state| self.check_pace(p, now).map(|()| state));
        let state = match outcome {
            Ok(state) => state,
            Err(error) => {
                let counters = &mut self.account_of(p).counters;
                match error {
                    AccountingError::Quota => counters.budget_refusals.raise(1),
                    AccountingError::WouldBlock => counters.pool_refusals.raise(1),
                    AccountingError::LeaseTable | AccountingError::WaiterTable => {
                        counters.table_refusals.raise(1)
                    }
                    AccountingError::Pace => counters.pace_refusals.raise(1),
                    AccountingError::UserWaiters => {
                        counters.ceiling_refusals.raise(1);
                        self.note_ceiling();
                    }
                    _ => {}
                }
                return Err(error);
            }
        };
        let index = self.take_lease(p, frames, reasons);
        self.arrivals.raise(1);
        let arrival = self.arrivals;
        self.lease_mut(index).term = term;
        self.charge_lease(index, now);
        match state {
            LeaseState::Active => {
                self.account_of(p).charged.raise(frames);
                self.grant(index, now);
            }
            state => self.wait(index, state, prio, arrival),
        }
        let lease = self.entry(index);
        Ok(BorrowTicket {
            lease: LeaseId(index),
            slice: lease.slice,
            handle: lease.handle,
            granted: (state == LeaseState::Active).then_some(lease.expires),
        })
    }

    /// The state in which a request begins: `Active`, `PoolWait` or `BudgetWait`. O(1).
    fn first_state(
        &self,
        p: PartitionId,
        frames: Frames,
        prio: i32,
        reasons: WaitReasons,
        may_wait: bool,
        term: u64,
    ) -> Result<LeaseState, AccountingError> {
        let account = self.account(p);
        if frames == 0 {
            return Err(AccountingError::Empty);
        }
        if account.dying {
            return Err(AccountingError::Dying);
        }
        if frames > account.limit {
            return Err(AccountingError::TooBig);
        }
        if term == 0 || term > self.limits.max_lease_ns {
            return Err(AccountingError::Term);
        }
        // A request that waits for this budget already is not overtaken.
        let first = self.waiters.goes_first(prio, account.queue.last());
        let has_budget = account.has_budget_for(frames) && first;
        let waits_for_budget = may_wait && reasons.budget;
        if !(has_budget || waits_for_budget) {
            return Err(AccountingError::Quota);
        }
        if self.unused == NONE || account.leases() >= account.max_leases {
            return Err(AccountingError::LeaseTable);
        }
        let first =
            self.ready_accounts == NONE && self.waiters.goes_first(prio, self.waiters.first());
        let state = match has_budget {
            true if first && frames <= self.totals.free => return Ok(LeaseState::Active),
            true if !(may_wait && reasons.pool) => return Err(AccountingError::WouldBlock),
            true => LeaseState::PoolWait,
            false => LeaseState::BudgetWait,
        };
        // It would wait in vain, and keep all behind it waiting.
        if reasons.pool && frames > self.totals.lendable() {
            return Err(AccountingError::TooBig);
        }
        if self.totals.waiters >= self.limits.max_waiters {
            return Err(AccountingError::WaiterTable);
        }
        self.check_user_waits(p)?;
        Ok(state)
    }

    /// Makes a new request wait.
    fn wait(&mut self, index: u32, state: LeaseState, prio: i32, arrival: u64) {
        let lease = self.entry(index);
        let p = lease.partition;
        let wants = match lease.reasons.pool {
            true => lease.frames,
            false => 0,
        };
        let waiter = self.waiters.enter(Waiter {
            lease: index,
            prio,
            arrival,
            wants,
        });
        let lease = self.lease_mut(index);
        lease.waiter = waiter;
        lease.state = state;
        self.account_of(p).counters.waits.raise(1);
        self.count_waiter(p);
        if state == LeaseState::PoolWait {
            self.join_pool_queue(index);
        } else if let Some(account) = self.accounts.get_mut(p.0 as usize) {
            self.waiters.table.insert(&mut account.queue, waiter);
        }
    }

    /// Gives a request its frames, which are free and charged to its partition.
    fn grant(&mut self, index: u32, now: u64) {
        let lease = self.lease_mut(index);
        lease.state = LeaseState::Active;
        lease.acknowledged = false;
        lease.granted = now;
        lease.expires = now.saturating_add(lease.term);
        let (p, frames, expires) = (lease.partition, lease.frames, lease.expires);
        let account = self.account_of(p);
        account.lent.raise(frames);
        account.lent_peak = account.lent_peak.max(account.lent);
        account.counters.borrows.raise(1);
        self.totals.lent.raise(frames);
        self.totals.free.lower(frames);
        self.schedule(index, expires.saturating_sub(self.limits.grace_ns));
    }

    /// Removes a waiting request from its queue, and its charge.
    fn leave_queue(&mut self, index: u32) {
        let Lease {
            partition: p,
            waiter,
            state,
            reasons,
            frames,
            ..
        } = *self.entry(index);
        if state == LeaseState::PoolWait {
            self.waiters.leave_pool(waiter, reasons.pool);
            self.account_of(p).charged.lower(frames);
        } else if let Some(account) = self.accounts.get_mut(p.0 as usize) {
            self.waiters.table.remove(&mut account.queue, waiter);
        }
    }

    /// Removes a request from all that wait, and its charge.
    pub(super) fn stop_waiting(&mut self, index: u32) {
        self.leave_queue(index);
        let lease = self.lease_mut(index);
        let p = lease.partition;
        let waiter = core::mem::replace(&mut lease.waiter, WaiterId::NONE);
        self.waiters.leave(waiter);
        self.uncount_waiter(p);
    }

    /// After a partition may have got budget: moves one request of a ready account.
    /// O(log waiters).
    pub(super) fn promote(&mut self, p: PartitionId) {
        self.mark_ready(p);
        self.promote_next();
    }

    /// Adds an account to the list of ready ones if its budget allows its first waiter.
    /// O(1).
    fn mark_ready(&mut self, p: PartitionId) {
        let account = self.account(p);
        let head = self.waiters.lease(account.queue.last());
        if account.ready || head == NONE || !account.has_budget_for(self.entry(head).frames) {
            return;
        }
        let next = core::mem::replace(&mut self.ready_accounts, p.0);
        let account = self.account_of(p);
        account.ready = true;
        account.next_ready = next;
    }

    /// Moves the first request of a ready account to the pool's queue, where it keeps its
    /// arrival; false if no account is ready. O(log waiters).
    fn promote_next(&mut self) -> bool {
        if self.ready_accounts == NONE {
            return false;
        }
        let p = PartitionId(self.ready_accounts);
        let account = self.account_of(p);
        account.ready = false;
        self.ready_accounts = account.next_ready;
        let index = self.waiters.lease(self.account(p).queue.last());
        if index == NONE || !self.account(p).has_budget_for(self.entry(index).frames) {
            return true;
        }
        self.leave_queue(index);
        self.join_pool_queue(index);
        self.mark_ready(p);
        true
    }

    /// Makes a request that has its budget wait for frames. One that may not wait for
    /// them is refused by [`Self::serve`] unless they are there.
    fn join_pool_queue(&mut self, index: u32) {
        let lease = self.lease_mut(index);
        lease.state = LeaseState::PoolWait;
        let Lease {
            partition,
            frames,
            reasons,
            waiter,
            ..
        } = *lease;
        self.account_of(partition).charged.raise(frames);
        self.waiters.join_pool(waiter, reasons.pool);
    }

    /// Whether [`Self::serve`] would do anything. O(1).
    pub fn can_serve(&self) -> bool {
        let head = self.waiters.first_lease();
        let resolves = |frames| frames <= self.totals.free || frames > self.totals.lendable();
        self.ready_accounts != NONE
            || head != NONE && (self.waiters.any_impatient() || resolves(self.entry(head).frames))
    }

    /// Serves one waiter, if that is possible: the caller wakes it if it was resolved, and
    /// calls again until [`ServeResult::Nothing`]. Only the head of the pool's queue is
    /// ever granted, so that no smaller request overtakes it. O(log leases + log waiters).
    pub fn serve(&mut self, now: u64) -> ServeResult {
        if self.promote_next() {
            return ServeResult::Moved;
        }
        let index = self.waiters.first_lease();
        if index == NONE {
            return ServeResult::Nothing;
        }
        if self.account(self.entry(index).partition).dying {
            return self.end_dying(index);
        }
        if self.entry(index).frames > self.totals.lendable() {
            // What it waits for is overdue. It does not keep the others waiting.
            return self.refuse(index);
        }
        if self.entry(index).frames > self.totals.free {
            return self.refuse_impatient();
        }
        // The charge stays: it was made when the request entered the queue.
        let (p, frames) = (self.entry(index).partition, self.entry(index).frames);
        self.stop_waiting(index);
        self.account_of(p).charged.raise(frames);
        self.grant(index, now);
        ServeResult::Resolved(LeaseId(index))
    }

    /// Ends a request in the pool's queue whose partition is being closed: a lease that
    /// ended in the meantime does not become its.
    fn end_dying(&mut self, index: u32) -> ServeResult {
        self.stop_waiting(index);
        self.lease_mut(index).state = LeaseState::Died;
        ServeResult::Resolved(LeaseId(index))
    }

    /// Refuses one request that has its budget and may not wait for frames.
    fn refuse_impatient(&mut self) -> ServeResult {
        match self.waiters.first_impatient_lease() {
            NONE => ServeResult::Nothing,
            index => self.refuse(index),
        }
    }

    /// Refuses a request in the pool's queue. O(log waiters).
    fn refuse(&mut self, index: u32) -> ServeResult {
        self.stop_waiting(index);
        let p = self.entry(index).partition;
        self.lease_mut(index).state = LeaseState::Refused;
        self.account_of(p).counters.pool_refusals.raise(1);
        // Its charge may be the budget of another one.
        self.mark_ready(p);
        ServeResult::Resolved(LeaseId(index))
    }

    /// The outcome of a request so far. O(1).
    pub fn outcome(&self, lease: LeaseId) -> RequestOutcome {
        let entry = self.entry(lease.0);
        match entry.state {
            LeaseState::BudgetWait | LeaseState::PoolWait => RequestOutcome::Waiting,
            LeaseState::Active
            | LeaseState::Recalled
            | LeaseState::Overdue
            | LeaseState::Ending => RequestOutcome::Granted {
                expires: entry.expires,
            },
            LeaseState::Died => RequestOutcome::Died,
            LeaseState::Refused => RequestOutcome::Refused,
            LeaseState::Over | LeaseState::Unused => RequestOutcome::Ended,
        }
    }

    /// Ends the wait of a request, by its borrower, and returns its outcome. A granted
    /// lease stays; any other request is gone. Call [`Self::serve`] afterwards.
    /// O(log waiters).
    pub fn withdraw(&mut self, lease: LeaseId) -> RequestOutcome {
        let index = lease.0;
        let outcome = self.outcome(lease);
        let entry = *self.entry(index);
        if entry.waits() {
            self.stop_waiting(index);
        }
        match entry.state {
            LeaseState::BudgetWait
            | LeaseState::PoolWait
            | LeaseState::Died
            | LeaseState::Refused => {
                self.refund_lease(index);
                self.release_slice(index);
                self.release_lease(index);
                self.promote(entry.partition);
            }
            LeaseState::Over => self.release_lease(index),
            _ => {}
        }
        outcome
    }

    /// Acknowledges a granted lease, by its borrower, and returns whether it still runs.
    /// As [`Self::withdraw`] for a request that was not granted. O(1) for a granted one.
    pub fn acknowledge(&mut self, lease: LeaseId) -> RequestOutcome {
        let entry = self.lease_mut(lease.0);
        match entry.state {
            // An overdue one as well: only its driver can give it back.
            LeaseState::Active | LeaseState::Recalled | LeaseState::Overdue => {
                entry.acknowledged = true;
                RequestOutcome::Granted {
                    expires: entry.expires,
                }
            }
            LeaseState::Ending => {
                entry.acknowledged = true;
                RequestOutcome::Ended
            }
            _ => self.withdraw(lease),
        }
    }
}
