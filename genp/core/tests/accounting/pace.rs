// SPDX-License-Identifier: GPL-2.0

//! No pattern of calls causes the recall thread more work than was stated.

use genp_core::{
    accounting::{
        AccountingError, DueAction, EndReason, Limits, PartitionId, UserLimits, WaitOrder,
    },
    recall_share::{lease_work, RecallShare, END_NS, WAKE_NS},
};
use genp_core_testing::pool::{revoke, with_limits, Pool, BOTH};
use proptest::{prelude::*, test_runner::RngSeed};

const SHARE: RecallShare = RecallShare {
    percent: 20,
    partitions: 2,
};
const LEASES: u32 = 4;
const LIMIT: u32 = 64;
const SEC: u64 = 1_000_000_000;

fn pool() -> Pool {
    pool_with_grace(0)
}

fn pool_with_grace(grace_ns: u64) -> Pool {
    let limits = Limits {
        capacity: 1000,
        max_waiters: 4,
        order: WaitOrder::Prio,
        max_lease_ns: SEC,
        grace_ns,
        share: SHARE,
        users: UserLimits::NONE,
    };
    with_limits(limits, 2, 16)
}

fn partition(pool: &mut Pool) -> PartitionId {
    pool.admit(0, u32::MAX, 0, LIMIT, LEASES).unwrap()
}

/// Borrows `pages` pages for `term`; their lease, if it is granted.
fn borrow(pool: &mut Pool, p: PartitionId, pages: u32, now: u64, term: u64) -> Option<u64> {
    let ticket = pool.borrow(p, pages, 0, BOTH, false, now, term).ok()?;
    pool.acknowledge(ticket.lease);
    Some(ticket.handle)
}

fn give_back(pool: &mut Pool, p: PartitionId, handle: u64) -> bool {
    let claimed = pool.claim(p, handle, EndReason::Returned);
    claimed
        .map(|lease| pool.complete_return(lease, EndReason::Returned))
        .is_ok()
}

/// Does what the recall thread does; the work of it.
fn recall(pool: &mut Pool, now: u64) -> u64 {
    let mut work = 0;
    while let Some(due) = pool.due(now) {
        if let DueAction::Revoke(lease) = due {
            work += lease_work(pool.lease(lease).frames(), 1);
            revoke(pool, lease);
        }
    }
    work
}

fn allowed(time: u64) -> u64 {
    SHARE.work_per_second() * (time / 1000) / 1_000_000 + RecallShare::burst_ns(LEASES, LIMIT)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        rng_seed: RngSeed::Fixed(20_261_129),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Borrowing, returning, renewing and waiting in any order, for any terms.
    #[test]
    fn the_work_stays_within_the_share(
        steps in prop::collection::vec((0u8..8, 1u32..24, 0u64..200_000, 1u64..2_000_000), 1..3000)
    ) {
        let mut pool = pool();
        let p = partition(&mut pool);
        let (mut now, mut work, mut held) = (0, 0, Vec::new());
        for (what, pages, pause, term) in steps {
            now += pause;
            work += recall(&mut pool, now);
            match (what, held.pop()) {
                (0, Some(handle)) => drop(give_back(&mut pool, p, handle)),
                (1, Some(handle)) => {
                    let _ = pool.renew(p, handle, now, term);
                    held.push(handle);
                }
                (_, last) => {
                    held.extend(last);
                    held.extend(borrow(&mut pool, p, pages, now, term));
                }
            }
            prop_assert!(work <= allowed(now), "{work} ns of work in {now} ns");
            prop_assert_eq!(pool.check(), Ok(()));
        }
    }
}

#[test]
fn a_rest_lets_one_borrow_again() {
    let mut pool = pool();
    let p = partition(&mut pool);
    let mut now = 0;
    while borrow(&mut pool, p, 1, now, 1).is_some() {
        now += 1;
        recall(&mut pool, now);
    }
    let refused = pool.borrow(p, 1, 0, BOTH, false, now, 1).err();
    assert_eq!(refused, Some(AccountingError::Pace));
    assert_eq!(pool.account(p).counters().pace_refusals, 2);
    // 16 leases at least may be ended twice at once, and one more begun.
    assert!(pool.account(p).counters().revocations >= 33);
    now += SHARE.time_for(lease_work(1, 1));
    assert!(borrow(&mut pool, p, 1, now, 1).is_some());
}

#[test]
fn a_new_partition_has_no_fresh_share() {
    let mut pool = pool();
    let other = partition(&mut pool);
    let (mut now, mut ends) = (0, 0);
    for _ in 0..200 {
        let p = partition(&mut pool);
        assert_ne!(p, other);
        while borrow(&mut pool, p, 1, now, 1).is_some() {
            now += 1;
            recall(&mut pool, now);
            ends += 1;
        }
        pool.close(p, 0).unwrap();
    }
    assert!(ends * END_NS <= allowed(now));
}

#[test]
fn the_account_that_rested_longest_is_given_out() {
    let mut pool = pool();
    let p = partition(&mut pool);
    borrow(&mut pool, p, 1, 0, 1).unwrap();
    recall(&mut pool, 1);
    pool.close(p, 0).unwrap();
    assert_ne!(partition(&mut pool), p);
}

#[test]
fn what_is_returned_in_time_costs_nothing() {
    let mut pool = pool();
    let p = partition(&mut pool);
    for now in 0..10_000 {
        let handle = borrow(&mut pool, p, LIMIT, now, SEC).unwrap();
        assert!(give_back(&mut pool, p, handle));
    }
}

/// Leases that are each returned just before they are due: the timer of the recall thread was
/// set for them, and finds nothing to do.
#[test]
fn a_timer_that_finds_nothing_to_do_is_charged() {
    let mut pool = pool();
    let p = partition(&mut pool);
    let (mut now, mut in_vain, mut until) = (0, 0, u64::MAX);
    while let Some(handle) = borrow(&mut pool, p, 1, now, 10) {
        if pool.wants_recall() {
            until = pool.arm(now);
        }
        assert!(give_back(&mut pool, p, handle));
        assert!(!pool.wants_recall());
        now += 10;
        if now >= until {
            assert_eq!(pool.due(now), None);
            in_vain += 1;
            until = pool.arm(now);
        }
        assert!(in_vain * WAKE_NS <= allowed(now), "{in_vain} in {now} ns");
    }
    assert!(in_vain > 0);
}

/// ... and so is one that was set for leases that are renewed.
#[test]
fn nor_does_a_renewal_make_it_free() {
    let mut pool = pool();
    let p = partition(&mut pool);
    let handle = borrow(&mut pool, p, 1, 0, 10).unwrap();
    let mut in_vain = 0;
    assert!(pool.wants_recall());
    let mut until = pool.arm(0);
    loop {
        match pool.renew(p, handle, until - 1, 10) {
            Ok(_) => assert!(!pool.wants_recall()),
            error => break assert_eq!(error, Err(AccountingError::Pace)),
        }
        let now = until;
        assert_eq!(pool.due(now), None);
        in_vain += 1;
        until = pool.arm(now);
        assert!(in_vain * WAKE_NS <= allowed(now), "{in_vain} in {now} ns");
    }
}

/// As many leases may run out as without a timer: what it finds to do is charged already.
#[test]
fn a_timer_that_finds_something_costs_nothing_more() {
    let mut pool = pool();
    let p = partition(&mut pool);
    let mut now = 0;
    while borrow(&mut pool, p, 1, now, 1).is_some() {
        assert!(pool.wants_recall());
        now = pool.arm(now);
        recall(&mut pool, now);
        assert!(!pool.wants_recall());
        assert_eq!(pool.arm(now), u64::MAX);
    }
    assert!(pool.account(p).counters().revocations >= 33);
}

/// ... nor does closing the partition.
#[test]
fn a_timer_of_a_closed_partition_is_charged_too() {
    let mut pool = pool();
    let (mut now, mut in_vain, mut until) = (0, 0, u64::MAX);
    loop {
        let p = partition(&mut pool);
        if pool.check_new(p, now) == Err(AccountingError::Pace) {
            break;
        }
        let handle = borrow(&mut pool, p, 1, now, 10).unwrap();
        if pool.wants_recall() {
            until = pool.arm(now);
        }
        assert!(give_back(&mut pool, p, handle));
        pool.close(p, 0).unwrap();
        now += 10;
        if now >= until {
            assert_eq!(pool.due(now), None);
            in_vain += 1;
            until = pool.arm(now);
        }
        // Each place in the table has a share of its own.
        assert!(
            in_vain * WAKE_NS <= 2 * allowed(now),
            "{in_vain} in {now} ns"
        );
    }
    assert!(in_vain > 0);
    assert_eq!(pool.check(), Ok(()));
}

/// It was recalled, and its borrower told, however soon it is returned then.
#[test]
fn a_recalled_lease_is_not_given_back_for() {
    let mut pool = pool_with_grace(SEC);
    let p = partition(&mut pool);
    let mut recalls = 0;
    while let Some(handle) = borrow(&mut pool, p, 1, 0, SEC) {
        assert!(matches!(pool.due(0), Some(DueAction::Recall(_))));
        assert!(give_back(&mut pool, p, handle));
        recalls += 1;
        assert!(recalls * END_NS <= allowed(0));
    }
}

/// A renewal after the recall leads to another one.
#[test]
fn a_renewal_after_the_recall_is_charged() {
    let mut pool = pool_with_grace(SEC);
    let p = partition(&mut pool);
    let handle = borrow(&mut pool, p, 1, 0, SEC).unwrap();
    let mut recalls = 0;
    loop {
        assert!(matches!(pool.due(0), Some(DueAction::Recall(_))));
        recalls += 1;
        assert!(recalls * END_NS <= allowed(0));
        match pool.renew(p, handle, 0, SEC) {
            Ok(_) => {}
            error => break assert_eq!(error, Err(AccountingError::Pace)),
        }
    }
}

#[test]
fn a_wake_up_and_a_mapping_are_charged() {
    let mut pool = pool();
    let p = partition(&mut pool);
    for _ in 0..1000 {
        pool.charge_wake(p, 0);
    }
    assert_eq!(borrow(&mut pool, p, 1, 0, 1), None);
    let q = partition(&mut pool);
    for _ in 0..1000 {
        pool.charge_mapping(q, 0, LIMIT);
    }
    assert_eq!(borrow(&mut pool, q, 1, 0, 1), None);
    // Never more than can be mapped at a time.
    assert!(borrow(&mut pool, q, 1, 12 * SHARE.window_ns(LEASES, LIMIT), 1).is_some());
}

/// Creating and closing is refused when those who had the places before caused too much.
#[test]
fn neither_is_a_new_one_admitted_for_ever() {
    let mut pool = pool();
    let other = partition(&mut pool);
    let mut created = 0;
    loop {
        let p = partition(&mut pool);
        assert_ne!(p, other);
        if pool.check_new(p, 0) == Err(AccountingError::Pace) {
            break;
        }
        created += 1;
        assert!(created < 1000);
        pool.close(p, 0).unwrap();
        pool.charge_wake(p, 0);
    }
    // It was closed, and there is room for it again when it has rested.
    assert_eq!(pool.totals().partitions, 1);
    let p = partition(&mut pool);
    assert_eq!(pool.check_new(p, SHARE.time_for(WAKE_NS)), Ok(()));
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn who_caused_too_much_does_not_grow() {
    let mut pool = pool();
    let p = partition(&mut pool);
    pool.grow(p, 1, u32::MAX, 0).unwrap();
    for _ in 0..1000 {
        pool.charge_wake(p, 0);
    }
    assert_eq!(pool.grow(p, 1, u32::MAX, 0), Err(AccountingError::Pace));
    assert_eq!(pool.account(p).counters().pace_refusals, 1);
    assert_eq!(pool.totals().committed, 1);
}

#[test]
fn more_mappings_cost_more() {
    let mut pool = pool();
    let p = partition(&mut pool);
    pool.set_mappings(p, 16);
    let mut granted = 0;
    for now in 0..1000 {
        granted += u64::from(borrow(&mut pool, p, LIMIT, now, 1).is_some());
        recall(&mut pool, now + 1);
    }
    assert!(granted * lease_work(LIMIT, 16) <= allowed(1000) + lease_work(LIMIT, 16));
}
