// SPDX-License-Identifier: GPL-2.0

//! What one user may have besides frames: partitions, leases, waiters.

use genp_core::accounting::{
    AccountingError, PartitionId, RequestOutcome, UserLimits, WaitOrder, WaitReasons,
};
use genp_core_testing::pool::{self, Pool, BOTH, CAPACITY, TERM};

const MINE: u32 = 7;
const YOURS: u32 = 8;

fn pool(limits: UserLimits) -> Pool {
    pool::pool_of_users(WaitOrder::Fifo, limits)
}

/// As GENP_CREATE does it.
fn create(
    pool: &mut Pool,
    uid: u32,
    reserve: u32,
    leases: u32,
    exempt: bool,
) -> Result<PartitionId, AccountingError> {
    if !exempt {
        pool.check_user(uid, leases, 0)?;
    }
    let p = pool.admit(uid, u32::MAX, reserve, CAPACITY, leases)?;
    pool.promise_leases(p, leases, exempt);
    assert_eq!(pool.check(), Ok(()));
    Ok(p)
}

#[test]
fn partitions_are_limited_until_their_frames_are_back() {
    let mut pool = pool(UserLimits {
        partitions: 2,
        ..UserLimits::NONE
    });
    let p = create(&mut pool, MINE, 3, 8, false).unwrap();
    create(&mut pool, MINE, 0, 8, false).unwrap();
    let refused = Err(AccountingError::UserPartitions);
    assert_eq!(create(&mut pool, MINE, 0, 8, false), refused);
    assert!(create(&mut pool, YOURS, 0, 8, false).is_ok());
    // Closed, and three frames are in quarantine: it takes its place still.
    pool.close(p, 3).unwrap();
    assert_eq!(create(&mut pool, MINE, 0, 8, false), refused);
    pool.commit_less(p, 3).unwrap();
    assert!(create(&mut pool, MINE, 0, 8, false).is_ok());
    assert_eq!(pool.ceiling_refusals(), 2);
    assert!(create(&mut pool, MINE, 0, 8, true).is_ok());
    assert_eq!(create(&mut pool, MINE, 0, 8, false), refused);
}

#[test]
fn promised_leases_are_limited() {
    let mut pool = pool(UserLimits {
        leases: 20,
        ..UserLimits::NONE
    });
    let p = create(&mut pool, MINE, 0, 16, false).unwrap();
    let refused = Err(AccountingError::UserLeases);
    assert_eq!(create(&mut pool, MINE, 0, 5, false), refused);
    assert_eq!(create(&mut pool, MINE, 0, u32::MAX, false), refused);
    assert!(create(&mut pool, MINE, 0, 4, false).is_ok());
    assert!(create(&mut pool, MINE, 1, 0, false).is_ok());
    assert!(create(&mut pool, YOURS, 0, 20, false).is_ok());
    pool.close(p, 0).unwrap();
    assert!(create(&mut pool, MINE, 0, 16, false).is_ok());
    assert_eq!(pool.ceiling_refusals(), 2);
}

fn wait(
    pool: &mut Pool,
    p: PartitionId,
    reasons: WaitReasons,
) -> Result<genp_core::accounting::BorrowTicket, AccountingError> {
    let answer = pool.borrow(p, 1, 0, reasons, true, 0, TERM);
    assert_eq!(pool.check(), Ok(()));
    answer
}

#[test]
fn waiters_are_limited_in_all_partitions_of_a_user() {
    let mut pool = pool(UserLimits {
        waiters: 2,
        ..UserLimits::NONE
    });
    let p = create(&mut pool, MINE, 0, 8, false).unwrap();
    let q = create(&mut pool, MINE, 0, 8, false).unwrap();
    let other = create(&mut pool, YOURS, 0, 8, false).unwrap();
    let all = pool.borrow(other, CAPACITY, 0, BOTH, false, 0, TERM);
    pool.acknowledge(all.unwrap().lease);
    let first = wait(&mut pool, p, BOTH).unwrap();
    wait(&mut pool, q, BOTH).unwrap();
    for partition in [p, q] {
        let refused = wait(&mut pool, partition, BOTH).err();
        assert_eq!(refused, Some(AccountingError::UserWaiters));
        assert_eq!(pool.account(partition).counters().ceiling_refusals, 1);
    }
    assert_eq!(pool.ceiling_refusals(), 2);
    // Who would not have waited is told what he would have been told.
    let refused = pool.borrow(p, 1, 0, BOTH, false, 0, TERM).err();
    assert_eq!(refused, Some(AccountingError::WouldBlock));
    // Another user waits, and who is exempt.
    assert!(wait(&mut pool, other, BOTH).is_ok());
    let exempt = create(&mut pool, MINE, 0, 8, true).unwrap();
    let third = wait(&mut pool, exempt, BOTH).unwrap();
    // Those who went make room.
    assert_eq!(pool.withdraw(first.lease), RequestOutcome::Waiting);
    assert!(wait(&mut pool, p, BOTH).is_err());
    assert_eq!(pool.withdraw(third.lease), RequestOutcome::Waiting);
    assert!(wait(&mut pool, p, BOTH).is_ok());
}

/// Moving from the partition's queue to the pool's is no new waiting.
#[test]
fn who_got_his_budget_goes_on_waiting() {
    let mut pool = pool(UserLimits {
        waiters: 1,
        ..UserLimits::NONE
    });
    let p = create(&mut pool, MINE, 0, 8, false).unwrap();
    let lender = create(&mut pool, YOURS, 0, 8, false).unwrap();
    let rest = pool.borrow(lender, CAPACITY - 2, 0, BOTH, false, 0, TERM);
    pool.acknowledge(rest.unwrap().lease);
    pool.set_limit(p, 2).unwrap();
    let mine = pool.borrow(p, 2, 0, BOTH, false, 0, TERM).unwrap();
    pool.acknowledge(mine.lease);
    let waiting = wait(&mut pool, p, BOTH).unwrap();
    pool::revoke(&mut pool, mine.lease);
    while pool.serve(0) != genp_core::accounting::ServeResult::Nothing {
        assert_eq!(pool.check(), Ok(()));
    }
    assert!(matches!(
        pool.outcome(waiting.lease),
        RequestOutcome::Granted { .. }
    ));
    pool.acknowledge(waiting.lease);
    pool.set_limit(p, 1).unwrap();
    assert!(wait(&mut pool, p, BOTH).is_ok());
}
