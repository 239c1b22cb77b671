// SPDX-License-Identifier: GPL-2.0

//! A pool with borrowers and a clock, driven step by step.

mod frames;

use std::collections::{BTreeMap, HashSet};

use genp_core::accounting::{
    AccountingError, DueAction, EndReason, LeaseId, PartitionId, RequestOutcome, ServeResult,
    WaitOrder, WaitReasons, MAX_LEASES_PER_PARTITION,
};

use super::pool::{partition, pool, revoke, Pool, BOTH, CAPACITY, TERM, WAITERS};

#[derive(Clone, Debug)]
pub enum Step {
    Borrow {
        who: usize,
        frames: u32,
        prio: i32,
        wait: bool,
        budget: bool,
        pool: bool,
        term: u64,
        /// By a driver, which cannot be forced to return it.
        non_revocable: bool,
    },
    Return(usize),
    Renew(usize),
    Withdraw(usize),
    Limit {
        who: usize,
        frames: u32,
    },
    Commit {
        who: usize,
        frames: u32,
    },
    Release {
        who: usize,
        frames: u32,
    },
    Close(usize),
    /// A free frame has a memory error.
    Poison {
        /// It is found by whoever takes it next, not before.
        at_take: bool,
    },
    Pass(u64),
}

/// What a borrower knows.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    partition: PartitionId,
    frames: u32,
    handle: u64,
    expires: u64,
    non_revocable: bool,
    /// Frames that it found.
    has: u32,
}

/// What the module does, without a kernel.
pub struct World {
    pool: Pool,
    partitions: Vec<PartitionId>,
    now: u64,
    waiting: BTreeMap<u32, Known>,
    running: BTreeMap<u32, Known>,
    over: Vec<Known>,
    handles: HashSet<u64>,
    /// Frames in the lists of free ones, those with errors included that nobody found.
    listed: u32,
    /// Frames in these lists that have errors.
    hidden: u32,
    /// Frames that were found to have errors.
    found: u32,
}

impl World {
    fn new(order: WaitOrder) -> Self {
        let mut pool = pool(order);
        let partitions = vec![
            partition(&mut pool, 10, 60),
            partition(&mut pool, 0, 70),
            partition(&mut pool, 20, 30),
        ];
        Self {
            pool,
            partitions,
            now: 1,
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            over: Vec::new(),
            handles: HashSet::new(),
            // Less the reserves.
            listed: CAPACITY - 30,
            hidden: 0,
            found: 0,
        }
    }

    fn acknowledge(&mut self, lease: LeaseId, known: Known) {
        match self.pool.acknowledge(lease) {
            RequestOutcome::Granted { expires } => {
                assert!(expires <= self.now + TERM);
                let has = self.take_frames(known.frames);
                let known = Known {
                    expires,
                    has,
                    ..known
                };
                self.running.insert(lease.0, known);
                if has < known.frames {
                    self.give_back(lease, known);
                }
            }
            outcome => assert_eq!(outcome, RequestOutcome::Ended),
        }
    }

    /// Serves the waiters, as the module does after every change.
    fn serve(&mut self) {
        for round in 0.. {
            assert!(round <= 2 * WAITERS + 5, "served more than waited");
            let can_serve = self.pool.can_serve();
            let served = self.pool.serve(self.now);
            assert_eq!(can_serve, served != ServeResult::Nothing);
            let lease = match served {
                ServeResult::Nothing => break,
                ServeResult::Moved => continue,
                ServeResult::Resolved(lease) => lease,
            };
            let known = self
                .waiting
                .remove(&lease.0)
                .expect("woke a request that does not wait");
            match self.pool.withdraw(lease) {
                RequestOutcome::Granted { .. } => self.acknowledge(lease, known),
                outcome => assert_eq!(outcome, RequestOutcome::Refused),
            }
        }
    }

    /// Ends what is due, at once: the recall thread with R = 0.
    fn recall(&mut self) {
        while let Some(due) = self.pool.due(self.now) {
            if let DueAction::Revoke(lease) = due {
                let known = self.running.remove(&lease.0);
                self.listed += known.map_or(0, |known| known.has);
                revoke(&mut self.pool, lease);
                self.over.extend(known);
                self.serve();
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Borrow {
                who,
                frames,
                prio,
                wait,
                budget,
                pool,
                term,
                non_revocable,
            } => {
                let p = self.partitions[who % self.partitions.len()];
                let reasons = WaitReasons { budget, pool };
                let before = self.pool.totals();
                match self
                    .pool
                    .borrow(p, frames, prio, reasons, wait, self.now, term)
                {
                    Ok(begun) => {
                        assert!(self.handles.insert(begun.handle), "a handle came again");
                        if non_revocable {
                            self.pool.make_non_revocable(begun.lease);
                        }
                        let known = Known {
                            partition: p,
                            frames,
                            handle: begun.handle,
                            expires: 0,
                            non_revocable,
                            has: 0,
                        };
                        match begun.granted {
                            Some(_) => self.acknowledge(begun.lease, known),
                            None => {
                                assert!(wait && (budget || pool));
                                self.waiting.insert(begun.lease.0, known);
                            }
                        }
                    }
                    Err(error) => {
                        assert_eq!(self.pool.totals(), before, "{error:?} changed something");
                        if error == AccountingError::WaiterTable {
                            assert_eq!(before.waiters, WAITERS);
                        }
                    }
                }
            }
            Step::Return(index) => {
                if let Some((&lease, &known)) = self.running.iter().nth(index % 8) {
                    self.give_back(LeaseId(lease), known);
                }
            }
            Step::Renew(index) => {
                if let Some((&lease, &known)) = self.running.iter().nth(index % 8) {
                    match self
                        .pool
                        .renew(known.partition, known.handle, self.now, TERM)
                    {
                        Ok(expires) => {
                            self.running.insert(lease, Known { expires, ..known });
                        }
                        Err(AccountingError::Stale) => {
                            assert!(known.non_revocable && known.expires <= self.now)
                        }
                        Err(error) => assert!(matches!(
                            error,
                            AccountingError::Waited | AccountingError::Dying
                        )),
                    }
                }
            }
            Step::Withdraw(index) => {
                if let Some((&lease, _)) = self.waiting.iter().nth(index % 8) {
                    self.waiting.remove(&lease);
                    assert_eq!(self.pool.withdraw(LeaseId(lease)), RequestOutcome::Waiting);
                    self.serve();
                }
            }
            Step::Limit { who, frames } => {
                let p = self.partitions[who % self.partitions.len()];
                let _ = self.pool.set_limit(p, frames);
                self.serve();
            }
            Step::Commit { who, frames } => {
                let p = self.partitions[who % self.partitions.len()];
                self.commit(p, frames);
            }
            Step::Release { who, frames } => {
                let p = self.partitions[who % self.partitions.len()];
                if self.pool.commit_less(p, frames).is_ok() {
                    self.listed += frames;
                }
                self.serve();
            }
            Step::Close(index) if index < self.partitions.len() => self.replace(index),
            Step::Close(_) => {}
            Step::Poison { at_take } => self.poison(at_take),
            Step::Pass(time) => self.now += time,
        }
        self.recall();
        self.serve();
    }

    /// Returns a lease, at the second try.
    fn give_back(&mut self, lease: LeaseId, known: Known) {
        let Known {
            partition, handle, ..
        } = known;
        let mut claim = || self.pool.claim(partition, handle, EndReason::Returned);
        assert_eq!(claim(), Ok(lease));
        assert_eq!(claim(), Err(AccountingError::Stale));
        self.pool.unclaim(lease);
        self.check_sums();
        let mut claim = |how| self.pool.claim(partition, handle, how);
        if known.non_revocable {
            assert_eq!(claim(EndReason::Revoked), Err(AccountingError::Busy));
        }
        assert_eq!(claim(EndReason::Returned), Ok(lease));
        self.running.remove(&lease.0);
        self.listed += known.has;
        self.pool.complete_return(lease, EndReason::Returned);
        self.over.push(known);
        self.serve();
    }

    /// Returns the leases of drivers that `which` selects.
    fn drivers_return(&mut self, which: impl Fn(&Known) -> bool) {
        let non_revocable: Vec<(u32, Known)> = self
            .running
            .iter()
            .filter(|(_, known)| known.non_revocable && which(known))
            .map(|(&lease, &known)| (lease, known))
            .collect();
        for (lease, known) in non_revocable {
            self.give_back(LeaseId(lease), known);
        }
    }

    /// Closes a partition, ends what it has, and opens a new one.
    fn replace(&mut self, index: usize) {
        let p = self.partitions[index];
        self.pool.begin_close(p);
        for slice in 0..MAX_LEASES_PER_PARTITION {
            self.pool.close_slice(p, slice);
        }
        let died: Vec<u32> = self
            .waiting
            .iter()
            .filter(|(_, k)| k.partition == p)
            .map(|(&l, _)| l)
            .collect();
        for lease in died {
            self.waiting.remove(&lease);
            assert_eq!(self.pool.withdraw(LeaseId(lease)), RequestOutcome::Died);
        }
        assert_eq!(
            self.pool.borrow(p, 1, 0, BOTH, true, self.now, TERM).err(),
            Some(AccountingError::Dying)
        );
        self.recall();
        self.drivers_return(|known| known.partition == p);
        assert_eq!(self.pool.account(p).leases(), 0);
        self.over.retain(|known| known.partition != p);
        let reserve = self.pool.account(p).reserve();
        // Half of it is in quarantine for a while.
        self.pool.close(p, reserve / 2).unwrap();
        self.pool.commit_less(p, reserve / 2).unwrap();
        self.listed += reserve;
        self.serve();
        let uid = (self.now % 3) as u32;
        let new = match self.pool.admit(uid, u32::MAX, 0, 50, 8) {
            Ok(p) => p,
            Err(_) => partition(&mut self.pool, 0, 50),
        };
        self.partitions[index] = new;
        self.commit(new, reserve);
    }

    /// What is true at any time, also while some of the leases that are due have ended.
    fn check_sums(&self) {
        assert_eq!(self.pool.check(), Ok(()));
        let totals = self.pool.totals();
        let lent: u32 = self.running.values().map(|known| known.frames).sum();
        assert_eq!(
            totals.lent + totals.overdue,
            lent,
            "frames were lent twice, or lost"
        );
        assert_eq!(totals.poisoned + self.pool.owed(), self.found);
        assert_eq!(totals.waiters as usize, self.waiting.len());
    }

    fn check(&self) {
        self.check_sums();
        for known in self.running.values() {
            assert!(
                known.expires > self.now || known.non_revocable,
                "a lease outlived its deadline"
            );
        }
        for known in self.over.iter().rev().take(4) {
            assert_eq!(
                self.pool.find(known.partition, known.handle),
                Err(AccountingError::Stale)
            );
        }
        for &p in &self.partitions {
            let account = self.pool.account(p);
            assert!(account.lent() <= 80);
        }
    }
}

pub fn live(order: WaitOrder, steps: &[Step]) {
    let mut world = World::new(order);
    for step in steps {
        world.take(step);
        world.check();
        world.check_found();
    }
    // With time each waiter for frames alone is served or refused, if drivers return what
    // they have; one that waited may be granted its lease only here.
    for _ in 0..=WAITERS {
        world.drivers_return(|_| true);
        world.now += TERM;
        world.recall();
        world.serve();
        world.check();
    }
    for (lease, known) in &world.waiting {
        let limit = world.pool.account(known.partition).limit();
        assert!(
            known.frames > limit || world.waiting.keys().any(|other| other != lease),
            "a waiter was forgotten"
        );
    }
}
