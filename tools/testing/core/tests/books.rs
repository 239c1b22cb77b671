// SPDX-License-Identifier: GPL-2.0

//! The books under random lives of borrowers, with a clock of their own.

use std::collections::{BTreeMap, HashSet};

use genp_core_tests::algorithms::books::{
    Account, Books, Due, Error, How, Lease, LeaseId, Limits, Order, PartitionId, Reasons, Served,
    Verdict,
};
use proptest::{prelude::*, test_runner::RngSeed};

type Pool = Books<Vec<Account>, Vec<Lease>, Vec<u32>>;

const CAPACITY: u32 = 100;
const TERM: u64 = 1000;
const GRACE: u64 = 100;
const WAITERS: u32 = 6;
const BOTH: Reasons = Reasons {
    budget: true,
    pool: true,
};

fn pool(order: Order) -> Pool {
    let limits = Limits {
        capacity: CAPACITY,
        max_waiters: WAITERS,
        order,
        max_lease_ns: TERM,
        grace_ns: GRACE,
    };
    Books::new(
        limits,
        vec![Account::EMPTY; 5],
        vec![Lease::EMPTY; 24],
        vec![0; 24],
    )
    .unwrap()
}

fn partition(pool: &mut Pool, reserve: u32, limit: u32) -> PartitionId {
    pool.admit(0, u32::MAX, reserve, limit, 8).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Borrow {
        who: usize,
        frames: u32,
        prio: i32,
        wait: bool,
        budget: bool,
        pool: bool,
        term: u64,
    },
    Return(usize),
    Renew(usize),
    GiveUp(usize),
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
    Kill(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<usize>(), 0u32..70, 0i32..4, any::<bool>(), any::<bool>(), any::<bool>(), 1u64..=TERM)
            .prop_map(|(who, frames, prio, wait, budget, pool, term)| {
                Step::Borrow { who, frames, prio, wait, budget, pool, term }
            }),
        4 => any::<usize>().prop_map(Step::Return),
        1 => any::<usize>().prop_map(Step::Renew),
        2 => any::<usize>().prop_map(Step::GiveUp),
        1 => (any::<usize>(), 1u32..80).prop_map(|(who, frames)| Step::Limit { who, frames }),
        1 => (any::<usize>(), 1u32..50).prop_map(|(who, frames)| Step::Commit { who, frames }),
        1 => (any::<usize>(), 1u32..50).prop_map(|(who, frames)| Step::Release { who, frames }),
        1 => (0usize..40).prop_map(Step::Kill),
        6 => (1u64..400).prop_map(Step::Pass),
    ]
}

/// What a borrower knows.
#[derive(Clone, Copy, Debug)]
struct Known {
    partition: PartitionId,
    frames: u32,
    handle: u64,
    expires: u64,
}

/// The kernel side, without kernel.
struct World {
    pool: Pool,
    partitions: Vec<PartitionId>,
    now: u64,
    waiting: BTreeMap<u32, Known>,
    running: BTreeMap<u32, Known>,
    over: Vec<Known>,
    handles: HashSet<u64>,
}

/// What the recall thread does about a lease that is due.
fn revoke(pool: &mut Pool, lease: LeaseId) {
    let (p, handle) = (pool.lease(lease).partition(), pool.lease(lease).handle());
    assert_eq!(pool.claim(p, handle), Ok(lease));
    pool.credit(lease, How::Revoked);
}

/// Serves until somebody is resolved: who.
fn serve(pool: &mut Pool, now: u64) -> Option<LeaseId> {
    loop {
        match pool.serve(now) {
            Served::Nothing => return None,
            Served::Moved => {}
            Served::Resolved(lease) => return Some(lease),
        }
    }
}

impl World {
    fn new(order: Order) -> Self {
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
        }
    }

    fn settle(&mut self, lease: LeaseId, known: Known) {
        match self.pool.settle(lease) {
            Verdict::Granted { expires } => {
                assert!(expires <= self.now + TERM);
                self.running.insert(lease.0, Known { expires, ..known });
            }
            verdict => assert_eq!(verdict, Verdict::Ended),
        }
    }

    /// Wakes who is to be woken, as the shell does after every change.
    fn serve(&mut self) {
        for turn in 0.. {
            assert!(turn <= 2 * WAITERS + 5, "served more than wait");
            assert_eq!(self.pool.can_serve(), {
                let served = self.pool.clone().serve(self.now);
                served != Served::Nothing
            });
            let lease = match self.pool.serve(self.now) {
                Served::Nothing => break,
                Served::Moved => continue,
                Served::Resolved(lease) => lease,
            };
            let known = self
                .waiting
                .remove(&lease.0)
                .expect("woke who does not wait");
            match self.pool.leave(lease) {
                Verdict::Granted { .. } => self.settle(lease, known),
                verdict => assert_eq!(verdict, Verdict::Refused),
            }
        }
    }

    /// Ends what is due, at once: the recall thread with R = 0.
    fn recall(&mut self) {
        while let Some(due) = self.pool.due(self.now) {
            if let Due::Revoke(lease) = due {
                let known = self.running.remove(&lease.0);
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
            } => {
                let p = self.partitions[who % self.partitions.len()];
                let reasons = Reasons { budget, pool };
                let before = self.pool.totals();
                match self
                    .pool
                    .borrow(p, frames, prio, reasons, wait, self.now, term)
                {
                    Ok(begun) => {
                        assert!(self.handles.insert(begun.handle), "a handle came again");
                        let known = Known {
                            partition: p,
                            frames,
                            handle: begun.handle,
                            expires: 0,
                        };
                        match begun.granted {
                            Some(_) => self.settle(begun.lease, known),
                            None => {
                                assert!(wait && (budget || pool));
                                self.waiting.insert(begun.lease.0, known);
                            }
                        }
                    }
                    Err(error) => {
                        assert_eq!(self.pool.totals(), before, "{error:?} changed something");
                        if error == Error::WaiterTable {
                            assert_eq!(before.waiters, WAITERS);
                        }
                    }
                }
            }
            Step::Return(index) => {
                if let Some((&lease, &known)) = self.running.iter().nth(index % 8) {
                    assert_eq!(
                        self.pool.claim(known.partition, known.handle),
                        Ok(LeaseId(lease))
                    );
                    assert_eq!(
                        self.pool.claim(known.partition, known.handle),
                        Err(Error::Stale)
                    );
                    self.running.remove(&lease);
                    self.pool.credit(LeaseId(lease), How::Returned);
                    self.over.push(known);
                    self.serve();
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
                        Err(error) => assert!(matches!(error, Error::Waited | Error::Dying)),
                    }
                }
            }
            Step::GiveUp(index) => {
                if let Some((&lease, _)) = self.waiting.iter().nth(index % 8) {
                    self.waiting.remove(&lease);
                    assert_eq!(self.pool.leave(LeaseId(lease)), Verdict::Waiting);
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
                let _ = self.pool.commit_more(p, frames, u32::MAX);
            }
            Step::Release { who, frames } => {
                let p = self.partitions[who % self.partitions.len()];
                let _ = self.pool.commit_less(p, frames);
                self.serve();
            }
            Step::Kill(index) if index < self.partitions.len() => self.replace(index),
            Step::Kill(_) => {}
            Step::Pass(time) => self.now += time,
        }
        self.recall();
        self.serve();
    }

    /// Destroys a partition, lets its people go, and makes a new one.
    fn replace(&mut self, index: usize) {
        let p = self.partitions[index];
        self.pool.kill(p);
        let died: Vec<u32> = self
            .waiting
            .iter()
            .filter(|(_, k)| k.partition == p)
            .map(|(&l, _)| l)
            .collect();
        for lease in died {
            self.waiting.remove(&lease);
            assert_eq!(self.pool.leave(LeaseId(lease)), Verdict::Died);
        }
        assert_eq!(
            self.pool.borrow(p, 1, 0, BOTH, true, self.now, TERM).err(),
            Some(Error::Dying)
        );
        self.recall();
        assert_eq!(self.pool.leases_of(p), 0);
        self.over.retain(|known| known.partition != p);
        let reserve = self.pool.account(p).reserve();
        // Half of it is in quarantine for a while.
        self.pool.retire(p, reserve / 2).unwrap();
        self.pool.commit_less(p, reserve / 2).unwrap();
        self.serve();
        self.partitions[index] = match self.pool.admit(0, u32::MAX, reserve, 50, 8) {
            Ok(p) => p,
            Err(_) => partition(&mut self.pool, 0, 50),
        };
    }

    fn check(&self) {
        assert_eq!(self.pool.check(), Ok(()));
        let totals = self.pool.totals();
        let lent: u32 = self.running.values().map(|known| known.frames).sum();
        assert_eq!(totals.lent, lent, "somebody has frames twice, or lost some");
        assert_eq!(totals.waiters as usize, self.waiting.len());
        for known in self.running.values() {
            assert!(known.expires > self.now, "a lease outlived its deadline");
        }
        for known in self.over.iter().rev().take(4) {
            assert_eq!(
                self.pool.find(known.partition, known.handle),
                Err(Error::Stale)
            );
        }
        for &p in &self.partitions {
            let account = self.pool.account(p);
            assert!(account.lent() <= 80);
        }
    }
}

fn live(order: Order, steps: &[Step]) {
    let mut world = World::new(order);
    for step in steps {
        world.take(step);
        world.check();
    }
    // With time everybody who waits for frames alone is served or may go.
    for _ in 0..=WAITERS {
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

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        // The same cases each time: a run of CI finds what the change broke.
        rng_seed: RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_lives_by_priority(steps in prop::collection::vec(step(), 1..150)) {
        live(Order::Prio, &steps);
    }

    #[test]
    fn random_lives_by_arrival(steps in prop::collection::vec(step(), 1..150)) {
        live(Order::Fifo, &steps);
    }

    /// The k-th waiter of a first-come queue has its frames after at most k terms,
    /// if leases are ended on time.
    #[test]
    fn the_kth_waits_k_terms(sizes in prop::collection::vec(1u32..=CAPACITY, 1..=6)) {
        let mut pool = pool(Order::Fifo);
        let p = partition(&mut pool, 0, CAPACITY);
        let first = pool.borrow(p, CAPACITY, 0, BOTH, true, 0, TERM).unwrap();
        pool.settle(first.lease);
        let others: Vec<_> = sizes
            .iter()
            .map(|&frames| {
                let p = pool.admit(0, u32::MAX, 0, CAPACITY, 8);
                let p = p.unwrap_or(PartitionId(1));
                pool.borrow(p, frames, 0, BOTH, true, 0, TERM).unwrap().lease
            })
            .collect();
        for (k, &lease) in others.iter().enumerate() {
            let mut now = 0;
            while pool.verdict(lease) == Verdict::Waiting {
                now = pool.next_due().expect("somebody waits and nothing is due");
                while let Some(due) = pool.due(now) {
                    if let Due::Revoke(lease) = due {
                        revoke(&mut pool, lease);
                        while serve(&mut pool, now).is_some() {}
                    }
                }
            }
            prop_assert!(now <= (k as u64 + 1) * TERM);
        }
    }
}

#[test]
fn the_head_is_not_overtaken() {
    let mut pool = pool(Order::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    let first = pool.borrow(a, 60, 0, BOTH, true, 0, TERM).unwrap();
    let large = pool.borrow(b, 90, 0, BOTH, true, 0, TERM).unwrap();
    assert!(large.granted.is_none());
    // Forty are free, but not for who comes later.
    assert_eq!(
        pool.borrow(b, 1, 0, BOTH, false, 0, TERM).err(),
        Some(Error::WouldBlock)
    );
    assert!(pool
        .borrow(b, 1, 0, BOTH, true, 0, TERM)
        .unwrap()
        .granted
        .is_none());
    pool.settle(first.lease);
    pool.claim(a, first.handle).unwrap();
    pool.credit(first.lease, How::Returned);
    assert_eq!(serve(&mut pool, 1), Some(large.lease));
}

#[test]
fn a_reserve_never_starves_a_waiter() {
    let mut pool = pool(Order::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    pool.borrow(a, 60, 0, BOTH, true, 0, TERM).unwrap();
    pool.borrow(b, 90, 0, BOTH, true, 0, TERM).unwrap();
    // Forty are free, but all leases together only have ninety for `b` to get.
    assert_eq!(pool.admit(0, u32::MAX, 11, 0, 1), Err(Error::NoSpace));
    assert_eq!(pool.commit_more(a, 11, u32::MAX), Err(Error::NoSpace));
    assert_eq!(pool.commit_more(a, 10, u32::MAX), Ok(()));
    // Nor does anybody wait for what no lease has.
    let c = partition(&mut pool, 0, 100);
    let mut asked = |wait| pool.borrow(c, 91, 0, BOTH, wait, 0, TERM).err();
    assert_eq!(asked(true), Some(Error::TooBig));
    assert_eq!(asked(false), Some(Error::WouldBlock));
}

/// Who would not wait for frames is not made to, whoever comes in between.
#[test]
fn who_waits_for_budget_alone_never_waits_for_frames() {
    let budget = Reasons {
        budget: true,
        pool: false,
    };
    let mut pool = pool(Order::Prio);
    let (a, b) = (partition(&mut pool, 0, 50), partition(&mut pool, 0, 100));
    let first = pool.borrow(a, 50, 9, BOTH, true, 0, TERM).unwrap();
    pool.settle(first.lease);
    let waits = pool.borrow(a, 50, 9, budget, true, 0, TERM).unwrap();
    assert!(waits.granted.is_none());
    pool.claim(a, first.handle).unwrap();
    pool.credit(first.lease, How::Returned);
    // Before anybody serves: more urgent, and takes the frames.
    let urgent = pool.borrow(b, 80, 1, BOTH, true, 0, TERM).unwrap();
    assert!(urgent.granted.is_some());
    assert_eq!(serve(&mut pool, 1), Some(waits.lease));
    assert_eq!(pool.leave(waits.lease), Verdict::Refused);
    assert_eq!(pool.check(), Ok(()));
}

/// A lease that somebody is ending is still looked after when it expires.
#[test]
fn a_claimed_lease_is_due_at_its_end() {
    let mut pool = pool(Order::Prio);
    let p = partition(&mut pool, 0, 50);
    let begun = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    pool.settle(begun.lease);
    pool.claim(p, begun.handle).unwrap();
    assert!(pool.next_due().is_some_and(|due| due <= TERM));
    assert_eq!(pool.due(TERM), Some(Due::Revoke(begun.lease)));
    assert_eq!(pool.due(TERM), None);
    assert_eq!(pool.claim(p, begun.handle), Err(Error::Stale));
    pool.credit(begun.lease, How::Returned);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_more_urgent_one_goes_first() {
    let mut pool = pool(Order::Prio);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    let first = pool.borrow(a, 90, 50, BOTH, true, 0, TERM).unwrap();
    let calm = pool.borrow(b, 40, 50, BOTH, true, 0, TERM).unwrap();
    let urgent = pool.borrow(b, 40, 10, BOTH, true, 0, TERM).unwrap();
    pool.settle(first.lease);
    pool.claim(a, first.handle).unwrap();
    pool.credit(first.lease, How::Returned);
    assert_eq!(serve(&mut pool, 1), Some(urgent.lease));
    assert_eq!(serve(&mut pool, 1), Some(calm.lease));
    assert_eq!(serve(&mut pool, 1), None);
}

#[test]
fn a_lease_that_ended_unseen_stays_for_its_borrower() {
    let mut pool = pool(Order::Prio);
    let p = partition(&mut pool, 0, 100);
    let begun = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    assert_eq!(pool.due(TERM), Some(Due::Revoke(begun.lease)));
    revoke(&mut pool, begun.lease);
    // Its place is not given to another while the borrower has not looked.
    let other = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    assert_ne!(other.lease, begun.lease);
    assert_eq!(pool.settle(begun.lease), Verdict::Ended);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn ceilings_and_slots() {
    let mut pool = pool(Order::Prio);
    let p = pool.admit(7, 30, 20, 0, 1).unwrap();
    assert_eq!(pool.admit(7, 30, 11, 0, 1), Err(Error::Ceiling));
    assert_eq!(pool.commit_more(p, 11, 30), Err(Error::Ceiling));
    assert_eq!(pool.commit_more(p, 10, 30), Ok(()));
    assert_eq!(pool.admit(8, u32::MAX, 71, 0, 1), Err(Error::NoSpace));
    // A dead partition counts as long as its frames are held.
    pool.retire(p, 30).unwrap();
    assert_eq!(pool.admit(7, 30, 1, 0, 1), Err(Error::Ceiling));
    pool.commit_less(p, 30).unwrap();
    assert!(pool.admit(7, 30, 30, 0, 1).is_ok());
    for _ in 0..4 {
        pool.admit(9, u32::MAX, 0, 1, 1).unwrap();
    }
    assert_eq!(
        pool.admit(9, u32::MAX, 0, 1, 1),
        Err(Error::NoPartitionSlot)
    );
}
