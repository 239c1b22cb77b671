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
            + u64::from(totals.free)
            + u64::from(totals.poisoned);
        if sum != u64::from(totals.capacity) {
            return Err("frames were made or lost");
        }
        if self.owed > 0 && totals.free > 0 {
            return Err("poisoned frames are owed, and some are free");
        }
        let (mut committed, mut lent) = (0u64, 0u64);
        for (index, account) in self.accounts.iter().enumerate() {
            committed += u64::from(account.reserve) + u64::from(account.quota);
            lent += u64::from(account.lent);
            self.check_account(PartitionId(index as u32), account)?;
            self.check_children(PartitionId(index as u32), account)?;
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
        // What drivers keep, or was poisoned since, is refused when its turn comes.
        let whole = totals.overdue == 0 && totals.poisoned == 0;
        if whole && self.leases.iter().any(starved) {
            return Err("a request waits for frames that no lease has");
        }
        self.check_users()?;
        self.check_vacant()?;
        let prios = self.waiters.wanted().map(|waiter| waiter.prio.clamp(0, 99));
        let most_urgent = prios.min();
        if most_urgent != self.most_urgent() {
            return Err("the most urgent request is another one");
        }
        self.check_heap()?;
        self.check_queue()
    }

    fn check_users(&self) -> Result<(), &'static str> {
        for (user, sums) in self.users.iter() {
            let accounts = self.accounts.iter();
            let mine = || accounts.clone().filter(|a| a.used && a.user == user);
            let frames =
                |a: &Account| u64::from(a.reserve) + u64::from(a.quota) + u64::from(a.external);
            let charged = mine().map(frames).sum();
            let accounts = mine().map(|a| a.slots + 1).sum();
            if (accounts, charged) != (sums.accounts, sums.charged) {
                return Err("a user's accounts do not add up");
            }
            let leases = mine().map(|a| a.promised).sum::<u32>();
            if (leases, mine().map(|a| a.waiting).sum()) != (sums.leases, sums.waiters) {
                return Err("a user's leases and waiters do not add up");
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

    /// What the children of an account have is what it gave them.
    fn check_children(&self, p: PartitionId, account: &Account) -> Result<(), &'static str> {
        let children = self.accounts.iter().filter(|other| other.parent == Some(p));
        let frames = |child: &Account| child.reserve + child.quota + child.given;
        let limit = |child: &Account| child.limit + child.limit_given;
        if children.clone().map(frames).sum::<u32>() != account.given {
            return Err("children have other frames than they were given");
        }
        if children.clone().map(limit).sum::<u32>() != account.limit_given {
            return Err("children may borrow other frames than they were given");
        }
        if children.clone().count() as u32 != account.children {
            return Err("children are lost");
        }
        if account.due > account.reserve {
            return Err("the quota waits for frames that there are not");
        }
        let above = account.parent.map(|p| self.account(p));
        match above.is_none_or(|above| above.used && account.depth == above.depth + 1) {
            true => Ok(()),
            false => Err("a child has no parent"),
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
        let waiting = |lease: &&Lease| lease.state == LeaseState::PoolWait;
        let leases = || self.waiters.pool_queue().map(|index| self.entry(index));
        if leases().any(|lease| !waiting(&lease)) {
            return Err("the queue holds what it should not");
        }
        let before =
            |(one, next): (&Lease, &Lease)| self.waiters.is_before(one.waiter, next.waiter);
        if !leases().zip(leases().skip(1)).all(before) {
            return Err("the queue is out of order");
        }
        if leases().count() != self.leases.iter().filter(waiting).count() {
            return Err("the queue lost a waiter");
        }
        let impatient = self.waiters.pool_queue();
        if !impatient
            .filter(|&index| !self.entry(index).reasons.pool)
            .eq(self.waiters.impatient())
        {
            return Err("the impatient do not add up");
        }
        let wants = || {
            self.waiters
                .wanted()
                .map(|waiter| (waiter.wants, waiter.arrival))
        };
        if wants().zip(wants().skip(1)).any(|(one, next)| one >= next) {
            return Err("the waiters are not in the order of what they want");
        }
        let all = self
            .waiters
            .wanted()
            .filter(|waiter| self.entry(waiter.lease).waits());
        match all.count() == self.leases.iter().filter(|lease| lease.waits()).count() {
            true => Ok(()),
            false => Err("the list of what is wanted lost a waiter"),
        }
    }

    fn check_vacant(&self) -> Result<(), &'static str> {
        let listed = || self.vacant.iter().rev().map(|id| PartitionId(id.into()));
        let key = |p: PartitionId| (self.account(p).pace.even_at(), p.0);
        let unused = self.accounts.iter().filter(|account| !account.used);
        if listed().any(|p| self.account(p).used) || listed().count() != unused.count() {
            return Err("the list of unused accounts is wrong");
        }
        match listed()
            .zip(listed().skip(1))
            .any(|(one, next)| key(one) >= key(next))
        {
            false => Ok(()),
            true => Err("the unused accounts are out of order"),
        }
    }
}
