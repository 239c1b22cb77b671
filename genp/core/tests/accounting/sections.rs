// SPDX-License-Identifier: GPL-2.0

//! What each call costs with every table at its maximum, in accesses to tables. All of a
//! call is done with interrupts off.

use genp_core::{
    accounting::{
        Accounting, DueAction, EndReason, LeaseId, Limits, PartitionId, RequestOutcome,
        ServeResult, Share, Tables, UserLimits, WaitOrder, WaitReasons, MAX_DEPTH,
        MAX_LEASES_PER_PARTITION, MAX_PARTITIONS,
    },
    recall_share::RecallShare,
};
use genp_core_testing::{
    counted::{accesses, Counted},
    pool::{BOTH, TERM},
};

type Pool = Accounting<Counted>;

const WAITERS: u32 = 256;
const LEASES: u32 = 4096;

/// Three accesses for each level of the heap of deadlines and as many for each step of a
/// bisection, two of each at most.
const MOST: u64 = 240;

const PATIENT: WaitReasons = BOTH;
const IMPATIENT: WaitReasons = WaitReasons {
    budget: true,
    pool: false,
};

fn full(order: WaitOrder) -> Pool {
    let limits = Limits {
        capacity: 90_000,
        max_waiters: WAITERS,
        order,
        max_lease_ns: TERM,
        grace_ns: TERM / 10,
        share: RecallShare::UNLIMITED,
        users: UserLimits::NONE,
    };
    let Ok(tables) = Tables::new(&limits, MAX_PARTITIONS, LEASES);
    Accounting::new(limits, tables)
}

/// The n-th of different numbers below 256, in no order.
fn shuffled(n: u32) -> u32 {
    n.wrapping_mul(173) % 256
}

/// A pool with as many partitions as there can be but one, each of another user, and all
/// leases but `spare` ones given out, with deadlines in no order.
fn world(order: WaitOrder, spare: u32) -> (Pool, Vec<PartitionId>) {
    let mut pool = full(order);
    let partitions: Vec<_> = (1..MAX_PARTITIONS)
        .map(|n| pool.admit(shuffled(n), 1_000_000, 1, 100_000, MAX_LEASES_PER_PARTITION))
        .map(Result::unwrap)
        .collect();
    for n in 0..LEASES - spare {
        let p = partitions[n as usize % partitions.len()];
        let term = u64::from(n.wrapping_mul(2_654_435_761) % 800) + 150;
        let ticket = pool.borrow(p, 1, 0, BOTH, false, 0, term).unwrap();
        pool.acknowledge(ticket.lease);
    }
    (pool, partitions)
}

/// ... and `count` requests that wait for more than is free, in no order.
fn waiting(
    order: WaitOrder,
    count: u32,
    reasons: impl Fn(u32) -> WaitReasons,
) -> (Pool, Vec<PartitionId>, Vec<LeaseId>) {
    let (mut pool, partitions) = world(order, WAITERS + 8);
    let (last, rest) = (*partitions.last().unwrap(), pool.totals().free);
    // Nothing is free from here on.
    let ticket = pool.borrow(last, rest, 0, BOTH, false, 0, TERM).unwrap();
    pool.acknowledge(ticket.lease);
    let mut all = Vec::new();
    for n in 0..count {
        let p = partitions[n as usize % 252];
        let prio = (shuffled(n) / 2) as i32;
        let frames = 10 + shuffled(n + 9);
        if !reasons(n).pool {
            // Not enough for both the request and what runs.
            pool.set_limit(p, frames).unwrap();
        }
        let ticket = pool.borrow(p, frames, prio, reasons(n), true, 0, TERM);
        all.push(ticket.unwrap().lease);
    }
    (pool, partitions, all)
}

#[track_caller]
fn cheap<R>(work: impl FnOnce() -> R) -> R {
    let (cost, answer) = accesses(work);
    assert!(cost <= MOST, "{cost} accesses to tables");
    answer
}

#[test]
fn a_request_finds_its_place_among_all_waiters() {
    for order in [WaitOrder::Prio, WaitOrder::Fifo] {
        for prio in [-1, 60, 139] {
            let (mut pool, partitions, _) = waiting(order, WAITERS - 1, |_| PATIENT);
            let ask = cheap(|| pool.borrow(partitions[3], 20, prio, BOTH, true, 0, TERM));
            assert_eq!(ask.unwrap().granted, None);
        }
    }
}

#[test]
fn any_waiter_leaves() {
    for which in [0, 100, 254] {
        let (mut pool, _, waiters) = waiting(WaitOrder::Prio, WAITERS - 1, |_| PATIENT);
        let outcome = cheap(|| pool.withdraw(waiters[which]));
        assert_eq!(outcome, RequestOutcome::Waiting);
    }
}

#[test]
fn a_lease_is_granted_and_returned() {
    let (mut pool, partitions) = world(WaitOrder::Prio, 1);
    let ticket = cheap(|| pool.borrow(partitions[5], 1, 0, BOTH, true, 0, TERM / 2));
    let ticket = ticket.unwrap();
    cheap(|| pool.acknowledge(ticket.lease));
    cheap(|| pool.renew(partitions[5], ticket.handle, 1, TERM)).unwrap();
    cheap(|| pool.claim(partitions[5], ticket.handle, EndReason::Returned)).unwrap();
    cheap(|| pool.complete_return(ticket.lease, EndReason::Returned));
}

#[test]
fn all_that_is_due_is_ended_and_all_waiters_are_served() {
    let (mut pool, _, _) = waiting(WaitOrder::Prio, WAITERS, |n| match n % 3 {
        0 => IMPATIENT,
        _ => PATIENT,
    });
    let (mut ended, mut resolved) = (0, 0);
    while let Some(due) = cheap(|| pool.due(TERM)) {
        if let DueAction::Revoke(lease) = due {
            let (p, handle) = (pool.lease(lease).partition(), pool.lease(lease).handle());
            let claimed = cheap(|| pool.claim(p, handle, EndReason::Revoked));
            // As the module does: the return and the first service are one section.
            let served = cheap(|| {
                pool.complete_return(claimed.unwrap(), EndReason::Revoked);
                pool.serve(TERM)
            });
            ended += 1;
            resolved += u32::from(matches!(served, ServeResult::Resolved(_)));
        }
        loop {
            match cheap(|| pool.serve(TERM)) {
                ServeResult::Nothing => break,
                ServeResult::Moved => {}
                ServeResult::Resolved(_) => resolved += 1,
            }
        }
    }
    assert!(ended > LEASES - 2 * WAITERS);
    assert_eq!(resolved, WAITERS);
}

#[test]
fn whoever_waits_for_budget_moves_when_there_is_some() {
    let (mut pool, partitions, _) = waiting(WaitOrder::Prio, 190, |_| PATIENT);
    let p = partitions[1];
    pool.set_limit(p, 20).unwrap();
    for n in 0..46 {
        let reasons = if n % 2 == 0 { PATIENT } else { IMPATIENT };
        let prio = (shuffled(n) / 2) as i32;
        pool.borrow(p, 15, prio, reasons, true, 0, TERM).unwrap();
    }
    cheap(|| pool.set_limit(p, 100_000)).unwrap();
    let mut moved = 0;
    while cheap(|| pool.serve(0)) != ServeResult::Nothing {
        moved += 1;
    }
    assert!(moved >= 45);
}

#[test]
fn a_partition_is_admitted_and_grows_while_all_wait() {
    let (mut pool, partitions, waiters) = waiting(WaitOrder::Prio, WAITERS, |_| PATIENT);
    // Frames for it: a lease ends, and nobody is served before.
    let last = *partitions.last().unwrap();
    let leases = (0..MAX_LEASES_PER_PARTITION).filter_map(|slice| pool.lease_at(last, slice));
    let large = leases
        .max_by_key(|&lease| pool.lease(lease).frames())
        .unwrap();
    let handle = pool.lease(large).handle();
    pool.claim(last, handle, EndReason::Returned).unwrap();
    pool.complete_return(large, EndReason::Returned);
    cheap(|| pool.commit_more(partitions[9], 1, 1_000_000)).unwrap();
    cheap(|| pool.commit_less(partitions[9], 1)).unwrap();
    cheap(|| pool.charge_external(partitions[9], 1, 1_000_000)).unwrap();
    cheap(|| pool.admit(3, 1_000_000, 1, 10, 1)).unwrap();
    assert_eq!(waiters.len() as u32, WAITERS);
}

#[test]
fn a_partition_ends_while_all_its_requests_wait() {
    let (mut pool, partitions, _) = waiting(WaitOrder::Prio, WAITERS, |_| PATIENT);
    let p = partitions[0];
    cheap(|| pool.begin_close(p));
    for slice in 0..MAX_LEASES_PER_PARTITION {
        if let Some(died) = cheap(|| pool.close_slice(p, slice)) {
            assert_eq!(cheap(|| pool.withdraw(died)), RequestOutcome::Died);
        }
    }
}

/// ... and a child goes with all above it, which are closed already.
#[test]
fn the_last_one_of_a_tree_takes_those_above_along() {
    let mut pool = full(WaitOrder::Prio);
    let share = |children: u32| Share {
        reserve: 1,
        quota: 2 * children,
        children,
        limit: 10 * (children + 1),
        max_leases: MAX_LEASES_PER_PARTITION,
    };
    let mut tree = vec![pool.admit_with(1, u32::MAX, &share(MAX_DEPTH)).unwrap()];
    for left in (0..MAX_DEPTH).rev() {
        let parent = *tree.last().unwrap();
        tree.push(cheap(|| pool.admit_child(parent, &share(left))).unwrap());
    }
    let last = tree.pop().unwrap();
    cheap(|| pool.commit_more(last, 0, u32::MAX)).unwrap();
    for &p in &tree {
        cheap(|| pool.close(p, 0)).unwrap();
    }
    assert_eq!(pool.totals().partitions, MAX_DEPTH + 1);
    cheap(|| pool.close(last, 0)).unwrap();
    assert_eq!(pool.totals().partitions, 0);
    assert_eq!(pool.totals().free, pool.totals().capacity);
    assert_eq!(pool.check(), Ok(()));
}
