// SPDX-License-Identifier: GPL-2.0

//! Calls at a moment when they change nothing.

use genp_core::accounting::{
    AccountingError, EndReason, LeaseId, PartitionId, RequestOutcome, WaitOrder,
};

use genp_core_testing::pool::{partition, pool, serve, Pool, BOTH, TERM};

/// A partition with a lease that runs, or one that nobody acknowledged yet.
fn lent(acknowledged: bool) -> (Pool, PartitionId, LeaseId, u64) {
    let mut pool = pool(WaitOrder::Fifo);
    let p = partition(&mut pool, 0, 50);
    let begun = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    if acknowledged {
        pool.acknowledge(begun.lease);
    }
    (pool, p, begun.lease, begun.handle)
}

/// Its borrower learns that it was granted when it is being revoked already.
#[test]
fn a_lease_that_is_being_ended_is_acknowledged_as_ended() {
    let (mut pool, p, lease, handle) = lent(false);
    pool.claim(p, handle, EndReason::Revoked).unwrap();
    assert_eq!(pool.acknowledge(lease), RequestOutcome::Ended);
    pool.complete_return(lease, EndReason::Revoked);
    // Its entry was not kept for anybody.
    assert_eq!((pool.totals().leases, pool.totals().lent), (0, 0));
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_partition_with_a_lease_is_not_closed() {
    let (mut pool, p, ..) = lent(true);
    assert_eq!(pool.close(p, 0), Err(AccountingError::Busy));
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_lease_is_not_renewed_for_no_time_or_too_much() {
    let (mut pool, p, _, handle) = lent(true);
    for term in [0, TERM + 1, u64::MAX] {
        assert_eq!(pool.renew(p, handle, 1, term), Err(AccountingError::Term));
    }
}

/// The generation of a handle is that of a lease which is still to come.
#[test]
fn a_handle_from_the_future_is_foreign() {
    let (mut pool, p, _, handle) = lent(true);
    let next = handle + (1 << 32);
    assert_eq!(
        pool.claim(p, next, EndReason::Returned),
        Err(AccountingError::Foreign)
    );
}

/// A claim that is undone or completed a second time.
#[test]
fn a_lease_that_nobody_claimed_goes_on() {
    let (mut pool, _, lease, _) = lent(true);
    pool.unclaim(lease);
    pool.complete_return(lease, EndReason::Returned);
    assert_eq!(pool.totals().lent, 5);
    assert_eq!(pool.check(), Ok(()));
}

/// Who has budget for its next waiter has not for a more urgent one that comes before it is
/// looked at again.
#[test]
fn a_more_urgent_request_waits_for_budget_first() {
    let mut pool = pool(WaitOrder::Prio);
    let p = partition(&mut pool, 0, 50);
    let first = pool.borrow(p, 50, 9, BOTH, true, 0, TERM).unwrap();
    pool.acknowledge(first.lease);
    let calm = [(); 2].map(|()| pool.borrow(p, 20, 9, BOTH, true, 0, TERM).unwrap().lease);
    pool.claim(p, first.handle, EndReason::Returned).unwrap();
    pool.complete_return(first.lease, EndReason::Returned);
    let urgent = pool.borrow(p, 40, 1, BOTH, true, 0, TERM).unwrap();
    assert_eq!(serve(&mut pool, 1), Some(calm[0]));
    assert_eq!(serve(&mut pool, 1), None);
    for waits in [urgent.lease, calm[1]] {
        assert_eq!(pool.outcome(waits), RequestOutcome::Waiting);
    }
    assert_eq!(pool.check(), Ok(()));
}
