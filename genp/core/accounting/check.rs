// SPDX-License-Identifier: GPL-2.0

//! The invariants, for tests.

use super::{Account, Accounting, Lease, LeaseState, Memory, PartitionId, NONE};

impl<M: Memory> Accounting<M> {
    /// Checks what must hold between two calls. The error says what does not.
    /// O(accounts × leases), for tests.
    pub fn check(&self) -> Result<(), &'static str> {
        let totals = &self.totals;
        let sum = u64::from(totals.committed)
            + u64::from(totals.lent)
            + u64::from(totals.overdue)
            + u64::from(totals.free);
        if sum != u64::from(totals.capacity) {
            return Err("frames were made or lost");
        }
        let (mut committed, mut lent) = (0u64, 0u64);
        for (index, account) in self.accounts.iter().enumerate() {
            committed += u64::from(account.reserve);
            lent += u64::from(account.lent);
            self.check_account(PartitionId(index as u32), account)?;
        }
        if (committed, lent)
            != (
                totals.committed.into(),
                u64::from(totals.lent) + u64::from(totals.overdue),
            )
        {
            return Err("the accounts do not add up");
        }
        let starved =
            |lease: &Lease| lease.waits() && lease.reasons.pool && lease.frames > totals.lendable();
        if totals.overdue == 0 && self.leases.iter().any(starved) {
            return Err("a request waits for frames that no lease has");
        }
        self.check_users()?;
        self.check_heap()?;
        self.check_queue()
    }

    fn check_users(&self) -> Result<(), &'static str> {
        for (user, sums) in self.users.iter() {
            let accounts = self.accounts.iter();
            let mine = || accounts.clone().filter(|a| a.used && a.user == user);
            let charged = mine().map(|a| u64::from(a.reserve) + u64::from(a.external));
            if (mine().count() as u32, charged.sum()) != (sums.accounts, sums.charged) {
                return Err("a user's accounts do not add up");
            }
        }
        let uids = || self.users.iter().map(|(_, sums)| sums.uid);
        if uids().zip(uids().skip(1)).any(|(one, next)| one >= next) {
            return Err("the users are out of order");
        }
        let accounts = self.users.iter().map(|(_, sums)| sums.accounts);
        match accounts.sum::<u32>() == self.totals.partitions {
            true => Ok(()),
            false => Err("an account has no user"),
        }
    }

    fn check_account(&self, p: PartitionId, account: &Account) -> Result<(), &'static str> {
        let mine = || self.leases.iter().filter(|lease| lease.partition == p);
        let sum = |states: &[LeaseState]| {
            mine()
                .filter(|lease| states.contains(&lease.state))
                .fold(0u64, |sum, lease| sum + u64::from(lease.frames))
        };
        let running = [
            LeaseState::Active,
            LeaseState::Recalled,
            LeaseState::Overdue,
            LeaseState::Ending,
        ];
        if sum(&running) != u64::from(account.lent) {
            return Err("an account's leases do not add up");
        }
        if sum(&running) + sum(&[LeaseState::PoolWait]) != u64::from(account.charged) {
            return Err("an account's charges do not add up");
        }
        let sliced = mine()
            .filter(|lease| lease.state != LeaseState::Over)
            .count();
        if sliced as u32 != account.leases() || account.leases() > account.max_leases {
            return Err("slices are lost");
        }
        let waiting = mine().filter(|lease| lease.waits()).count();
        match waiting as u32 == account.waiting {
            true => Ok(()),
            false => Err("waiters are lost"),
        }
    }

    fn check_heap(&self) -> Result<(), &'static str> {
        let runs = |lease: &&Lease| {
            matches!(
                lease.state,
                LeaseState::Active
                    | LeaseState::Recalled
                    | LeaseState::Overdue
                    | LeaseState::Ending
            )
        };
        if self.leases.iter().filter(runs).count() != self.heap_len as usize {
            return Err("a lease that runs is not on the heap");
        }
        for at in 0..self.heap_len as usize {
            let index = self.heap.get(at).copied().unwrap_or(NONE);
            let lease = self.entry(index);
            if lease.heap_at as usize != at || !runs(&lease) {
                return Err("the heap holds what it should not");
            }
            let parent = self.heap.get(at.saturating_sub(1) / 2).copied();
            if lease.due < self.entry(parent.unwrap_or(NONE)).due {
                return Err("the heap is out of order");
            }
        }
        Ok(())
    }

    fn check_queue(&self) -> Result<(), &'static str> {
        let (mut at, mut before, mut count) = (self.queue.head, NONE, 0);
        while at != NONE {
            let lease = self.entry(at);
            if lease.state != LeaseState::PoolWait || lease.prev != before {
                return Err("the queue holds what it should not");
            }
            if before != NONE && self.precedes(lease.prio, lease.arrival, before) {
                return Err("the queue is out of order");
            }
            count += 1;
            before = at;
            at = lease.next;
        }
        let impatient = |lease: &&Lease| lease.state == LeaseState::PoolWait && !lease.reasons.pool;
        if self.leases.iter().filter(impatient).count() != self.impatient as usize {
            return Err("the impatient do not add up");
        }
        let waiting = |lease: &&Lease| lease.state == LeaseState::PoolWait;
        match count == self.leases.iter().filter(waiting).count() {
            true => Ok(()),
            false => Err("the queue lost a waiter"),
        }
    }
}
