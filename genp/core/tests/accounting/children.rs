// SPDX-License-Identifier: GPL-2.0

//! Partitions of a partition: they have what was set aside, and nothing else.

use genp_core::accounting::{AccountingError, PartitionId, Share, Totals, WaitOrder, MAX_DEPTH};
use genp_core_testing::pool::{partition, pool, serve, Pool, BOTH, CAPACITY, TERM};

pub fn share(reserve: u32, quota: u32, children: u32, limit: u32) -> Share {
    Share {
        reserve,
        quota,
        children,
        limit,
        max_leases: 4,
    }
}

fn root(pool: &mut Pool, share: &Share) -> PartitionId {
    pool.admit_with(0, u32::MAX, share).unwrap()
}

/// Takes all of the pool that is left.
fn exhaust(pool: &mut Pool) -> PartitionId {
    let free = pool.totals().free;
    partition(pool, free, 0)
}

#[test]
fn a_child_is_admitted_though_others_have_all() {
    let mut pool = pool(WaitOrder::Prio);
    let parent = root(&mut pool, &share(10, 30, 2, 40));
    exhaust(&mut pool);
    let before = pool.totals();
    let child = pool.admit_child(parent, &share(20, 5, 0, 15)).unwrap();
    assert_eq!(pool.totals(), before);
    let (above, below) = (*pool.account(parent), *pool.account(child));
    assert_eq!((above.quota(), above.given(), above.limit()), (30, 25, 25));
    assert_eq!((below.reserve(), below.quota(), below.limit()), (20, 5, 15));
    assert_eq!((below.parent(), below.depth()), (Some(parent), 1));
    assert_eq!(
        pool.admit_child(parent, &share(6, 0, 0, 0)),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(
        pool.admit_child(parent, &share(u32::MAX, 6, 0, 0)),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(
        pool.admit_child(parent, &share(5, 0, 0, 26)),
        Err(AccountingError::Quota)
    );
    assert_eq!(
        pool.admit_child(parent, &share(5, 0, 1, 0)),
        Err(AccountingError::NoPartitionSlot)
    );
    assert_eq!(
        pool.commit_more(child, 6, u32::MAX),
        Err(AccountingError::NoSpace)
    );
    pool.commit_more(child, 5, u32::MAX).unwrap();
    assert_eq!(pool.totals(), before);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn what_a_child_gives_back_is_its_parents() {
    let mut pool = pool(WaitOrder::Prio);
    let parent = root(&mut pool, &share(0, 30, 1, 40));
    let waits = exhaust(&mut pool);
    pool.set_limit(waits, 30).unwrap();
    let before = pool.totals();
    let child = pool.admit_child(parent, &share(20, 0, 0, 40)).unwrap();
    // Seven are still pinned.
    pool.close(child, 7).unwrap();
    assert_eq!(pool.account(parent).given(), 7);
    assert_eq!(pool.account(parent).limit(), 40);
    let full = share(24, 0, 0, 0);
    // Neither the frames nor the account are there yet.
    assert!(pool.admit_child(parent, &full).is_err());
    pool.commit_less(child, 7).unwrap();
    assert_eq!(pool.totals(), before);
    assert_eq!(pool.account(parent).given(), 0);
    pool.admit_child(parent, &full).unwrap();
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_closed_parent_stays_for_its_children() {
    let mut pool = pool(WaitOrder::Prio);
    let top = root(&mut pool, &share(4, 30, 3, 20));
    let middle = pool.admit_child(top, &share(5, 20, 1, 12)).unwrap();
    let last = pool.admit_child(middle, &share(15, 0, 0, 7)).unwrap();
    for p in [top, middle] {
        pool.begin_close(p);
        let reserve = pool.account(p).reserve();
        pool.close(p, reserve).unwrap();
        pool.commit_less(p, reserve).unwrap();
        assert_eq!(pool.check(), Ok(()));
    }
    // The last one has its own, and nobody else has anything.
    assert_eq!(pool.totals().free, CAPACITY - 15);
    assert_eq!(pool.totals().partitions, 4);
    assert!(pool.ends(last) && pool.descends(last, top) && !pool.descends(top, last));
    let before = pool.totals();
    assert_eq!(
        pool.admit_child(last, &share(1, 0, 0, 0)),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(pool.totals(), before);
    pool.close(last, 0).unwrap();
    let empty = Totals {
        capacity: CAPACITY,
        free: CAPACITY,
        ..Totals::default()
    };
    assert_eq!(pool.totals(), empty);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn there_are_no_more_above_one_another() {
    let mut pool = pool(WaitOrder::Prio);
    let mut p = root(&mut pool, &share(0, 0, 4, 0));
    for depth in 1..=MAX_DEPTH {
        p = pool.admit_child(p, &share(0, 0, 4 - depth, 0)).unwrap();
        assert_eq!(pool.account(p).depth(), depth);
    }
    assert_eq!(
        pool.admit_child(p, &share(0, 0, 0, 0)),
        Err(AccountingError::TooBig)
    );
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn accounts_for_children_are_set_aside() {
    let mut pool = pool(WaitOrder::Prio);
    // Of five.
    let parent = root(&mut pool, &share(0, 0, 3, 0));
    assert_eq!(
        pool.admit_with(0, u32::MAX, &share(0, 0, 1, 0)),
        Err(AccountingError::NoPartitionSlot)
    );
    partition(&mut pool, 0, 0);
    assert_eq!(
        pool.admit(0, u32::MAX, 0, 0, 0),
        Err(AccountingError::NoPartitionSlot)
    );
    for _ in 0..3 {
        pool.admit_child(parent, &share(0, 0, 0, 0)).unwrap();
    }
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn who_waits_for_budget_has_that_of_a_child_that_ends() {
    let mut pool = pool(WaitOrder::Prio);
    let parent = root(&mut pool, &share(0, 0, 1, 10));
    let child = pool.admit_child(parent, &share(0, 0, 0, 6)).unwrap();
    let lent = pool.borrow(parent, 4, 0, BOTH, true, 0, TERM).unwrap();
    assert!(lent.granted.is_some());
    pool.set_limit(parent, 4).unwrap();
    // It may have ten again one day, but not now.
    assert_eq!(
        pool.borrow(parent, 5, 0, BOTH, true, 0, TERM).err(),
        Some(AccountingError::TooBig)
    );
    let waits = pool.borrow(parent, 3, 0, BOTH, true, 0, TERM).unwrap();
    assert!(waits.granted.is_none());
    pool.close(child, 0).unwrap();
    assert_eq!(serve(&mut pool, 1), Some(waits.lease));
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_limit_moves_only_between_a_child_and_its_parent() {
    let mut pool = pool(WaitOrder::Prio);
    let parent = root(&mut pool, &share(0, 0, 1, 10));
    let child = pool.admit_child(parent, &share(0, 0, 0, 6)).unwrap();
    assert_eq!(
        pool.change_limit(child, 11),
        Err(AccountingError::Quota),
        "it has 6, its parent 4"
    );
    assert_eq!(pool.change_limit(child, 10), Ok(0));
    let lease = pool.borrow(child, 8, 0, BOTH, true, 0, TERM).unwrap();
    assert_eq!(pool.change_limit(child, 7), Err(AccountingError::InUse));
    assert_eq!(pool.change_limit(child, 8), Ok(2));
    pool.settle_limit(child, 10, 8, true);
    assert_eq!(pool.account(parent).limit(), 2);
    pool.acknowledge(lease.lease);
    assert_eq!(pool.check(), Ok(()));
}

/// Its child takes of a limit, between the change and what settles it.
#[test]
fn a_limit_given_on_meanwhile_is_there_once() {
    for (set, taken, done) in [(2, 2, true), (2, 2, false), (9, 8, false), (9, 3, true)] {
        let mut pool = pool(WaitOrder::Prio);
        let parent = root(&mut pool, &share(0, 0, 2, 10));
        let child = pool.admit_child(parent, &share(0, 0, 1, 6)).unwrap();
        pool.change_limit(child, set).unwrap();
        let last = pool.admit_child(child, &share(0, 0, 0, taken)).unwrap();
        pool.settle_limit(child, 6, set, done);
        let limits = [parent, child, last].map(|p| pool.account(p).limit());
        assert_eq!(limits.iter().sum::<u32>(), 10, "{limits:?}");
        pool.close(last, 0).unwrap();
        pool.close(child, 0).unwrap();
        assert_eq!(pool.account(parent).limit(), 10);
        assert_eq!(pool.check(), Ok(()));
    }
}

#[test]
fn own_reserve_and_quota_are_one_sum() {
    let mut pool = pool(WaitOrder::Prio);
    let p = root(&mut pool, &share(10, 20, 2, 0));
    exhaust(&mut pool);
    let before = pool.totals();
    let mut set = |quota, added, cut| pool.set_quota(p, quota, (added, cut), u32::MAX, 0);
    // From the quota to the reserve, and no more than there is.
    assert_eq!(set(13, 8, 0), Err(AccountingError::NoSpace));
    assert_eq!(set(12, 8, 0), Ok(0));
    // And back, where it is when it is free.
    assert_eq!(set(25, 0, 13), Ok(0));
    assert_eq!(pool.account(p).reserve(), 18);
    pool.admit_child(p, &share(12, 0, 0, 0)).unwrap();
    assert!(pool.admit_child(p, &share(1, 0, 0, 0)).is_err());
    pool.commit_less(p, 13).unwrap();
    pool.admit_child(p, &share(13, 0, 0, 0)).unwrap();
    assert_eq!(pool.totals(), before);
    let mut set = |quota, added, cut| pool.set_quota(p, quota, (added, cut), u32::MAX, 0);
    assert_eq!(set(24, 0, 0), Err(AccountingError::InUse));
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn what_the_quota_has_too_much_goes_back_to_the_pool() {
    let mut pool = pool(WaitOrder::Prio);
    let p = root(&mut pool, &share(0, 20, 0, 0));
    assert_eq!(pool.set_quota(p, 5, (4, 0), u32::MAX, 0), Ok(11));
    assert_eq!(pool.account(p).reserve(), 15);
    pool.commit_less(p, 11).unwrap();
    assert_eq!(pool.totals().free, CAPACITY - 9);
    assert_eq!(pool.check(), Ok(()));
}
