// SPDX-License-Identifier: GPL-2.0

//! Single promises, one after the other.

use genp_core::accounting::{
    AccountingError, DueAction, EndReason, RequestOutcome, WaitOrder, WaitReasons,
};

use genp_core_testing::pool::{partition, pool, revoke, serve, BOTH, TERM};

#[test]
fn the_head_is_not_overtaken() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    let first = pool.borrow(a, 60, 0, BOTH, true, 0, TERM).unwrap();
    let large = pool.borrow(b, 90, 0, BOTH, true, 0, TERM).unwrap();
    assert!(large.granted.is_none());
    // Forty are free, but not for a later request.
    assert_eq!(
        pool.borrow(b, 1, 0, BOTH, false, 0, TERM).err(),
        Some(AccountingError::WouldBlock)
    );
    assert!(pool
        .borrow(b, 1, 0, BOTH, true, 0, TERM)
        .unwrap()
        .granted
        .is_none());
    pool.acknowledge(first.lease);
    pool.claim(a, first.handle, EndReason::Returned).unwrap();
    pool.complete_return(first.lease, EndReason::Returned);
    assert_eq!(serve(&mut pool, 1), Some(large.lease));
}

#[test]
fn a_reserve_never_starves_a_waiter() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    pool.borrow(a, 60, 0, BOTH, true, 0, TERM).unwrap();
    pool.borrow(b, 90, 0, BOTH, true, 0, TERM).unwrap();
    // Forty are free, but all leases together only have ninety for `b` to get.
    assert_eq!(
        pool.admit(0, u32::MAX, 11, 0, 1),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(
        pool.commit_more(a, 11, u32::MAX),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(pool.commit_more(a, 10, u32::MAX), Ok(()));
    // Nor does a request wait for what no lease has.
    let c = partition(&mut pool, 0, 100);
    let mut asked = |wait| pool.borrow(c, 91, 0, BOTH, wait, 0, TERM).err();
    assert_eq!(asked(true), Some(AccountingError::TooBig));
    assert_eq!(asked(false), Some(AccountingError::WouldBlock));
}

/// A request that may not wait for frames is not made to, whatever comes in between.
#[test]
fn a_waiter_for_budget_alone_never_waits_for_frames() {
    let budget = WaitReasons {
        budget: true,
        pool: false,
    };
    let mut pool = pool(WaitOrder::Prio);
    let (a, b) = (partition(&mut pool, 0, 50), partition(&mut pool, 0, 100));
    let first = pool.borrow(a, 50, 9, BOTH, true, 0, TERM).unwrap();
    pool.acknowledge(first.lease);
    let waits = pool.borrow(a, 50, 9, budget, true, 0, TERM).unwrap();
    assert!(waits.granted.is_none());
    pool.claim(a, first.handle, EndReason::Returned).unwrap();
    pool.complete_return(first.lease, EndReason::Returned);
    // Before the next serve(): more urgent, and takes the frames.
    let urgent = pool.borrow(b, 80, 1, BOTH, true, 0, TERM).unwrap();
    assert!(urgent.granted.is_some());
    assert_eq!(serve(&mut pool, 1), Some(waits.lease));
    assert_eq!(pool.withdraw(waits.lease), RequestOutcome::Refused);
    assert_eq!(pool.check(), Ok(()));
}

/// A lease that is being ended is still revoked when it expires.
#[test]
fn a_claimed_lease_is_due_at_its_end() {
    let mut pool = pool(WaitOrder::Prio);
    let p = partition(&mut pool, 0, 50);
    let begun = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    pool.acknowledge(begun.lease);
    pool.claim(p, begun.handle, EndReason::Returned).unwrap();
    assert!(pool.next_due().is_some_and(|due| due <= TERM));
    assert_eq!(pool.due(TERM), Some(DueAction::Revoke(begun.lease)));
    assert_eq!(pool.due(TERM), None);
    assert_eq!(
        pool.claim(p, begun.handle, EndReason::Returned),
        Err(AccountingError::Stale)
    );
    pool.complete_return(begun.lease, EndReason::Returned);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_more_urgent_one_goes_first() {
    let mut pool = pool(WaitOrder::Prio);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    let first = pool.borrow(a, 90, 50, BOTH, true, 0, TERM).unwrap();
    let calm = pool.borrow(b, 40, 50, BOTH, true, 0, TERM).unwrap();
    let urgent = pool.borrow(b, 40, 10, BOTH, true, 0, TERM).unwrap();
    pool.acknowledge(first.lease);
    pool.claim(a, first.handle, EndReason::Returned).unwrap();
    pool.complete_return(first.lease, EndReason::Returned);
    assert_eq!(serve(&mut pool, 1), Some(urgent.lease));
    assert_eq!(serve(&mut pool, 1), Some(calm.lease));
    assert_eq!(serve(&mut pool, 1), None);
}

#[test]
fn a_lease_that_ended_unacknowledged_stays_for_its_borrower() {
    let mut pool = pool(WaitOrder::Prio);
    let p = partition(&mut pool, 0, 100);
    let begun = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    assert_eq!(pool.due(TERM), Some(DueAction::Revoke(begun.lease)));
    revoke(&mut pool, begun.lease);
    // Its entry is not used again before the borrower has acknowledged it.
    let other = pool.borrow(p, 5, 0, BOTH, true, 0, TERM).unwrap();
    assert_ne!(other.lease, begun.lease);
    assert_eq!(pool.acknowledge(begun.lease), RequestOutcome::Ended);
    assert_eq!(pool.check(), Ok(()));
}

/// To the frame, with leases and with what waits for frames.
#[test]
fn a_limit_is_kept() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 10), partition(&mut pool, 0, 100));
    let mut asked = |frames, wait| pool.borrow(a, frames, 0, BOTH, wait, 0, TERM);
    assert_eq!(asked(11, true).err(), Some(AccountingError::TooBig));
    let first = asked(6, false).unwrap();
    assert_eq!(asked(5, false).err(), Some(AccountingError::Quota));
    assert!(asked(4, false).unwrap().granted.is_some());
    assert_eq!(asked(1, false).err(), Some(AccountingError::Quota));
    pool.acknowledge(first.lease);
    pool.claim(a, first.handle, EndReason::Returned).unwrap();
    pool.complete_return(first.lease, EndReason::Returned);
    pool.borrow(b, 96, 0, BOTH, false, 0, TERM).unwrap();
    let mut asked = |frames, wait| pool.borrow(a, frames, 0, BOTH, wait, 0, TERM);
    assert!(asked(6, true).unwrap().granted.is_none());
    assert_eq!(asked(1, false).err(), Some(AccountingError::Quota));
}

#[test]
fn ceilings_and_slots() {
    let mut pool = pool(WaitOrder::Prio);
    let p = pool.admit(7, 30, 20, 0, 1).unwrap();
    assert_eq!(pool.admit(7, 30, 11, 0, 1), Err(AccountingError::Ceiling));
    assert_eq!(pool.commit_more(p, 11, 30), Err(AccountingError::Ceiling));
    assert_eq!(pool.commit_more(p, 10, 30), Ok(()));
    assert_eq!(
        pool.admit(8, u32::MAX, 71, 0, 1),
        Err(AccountingError::NoSpace)
    );
    // A closed partition counts as long as its frames are in quarantine.
    pool.close(p, 30).unwrap();
    assert_eq!(pool.admit(7, 30, 1, 0, 1), Err(AccountingError::Ceiling));
    pool.commit_less(p, 30).unwrap();
    assert!(pool.admit(7, 30, 30, 0, 1).is_ok());
    for _ in 0..4 {
        pool.admit(9, u32::MAX, 0, 1, 1).unwrap();
    }
    assert_eq!(
        pool.admit(9, u32::MAX, 0, 1, 1),
        Err(AccountingError::NoPartitionSlot)
    );
}

#[test]
fn a_ceiling_counts_what_is_external() {
    let mut pool = pool(WaitOrder::Prio);
    let before = pool.totals();
    let p = pool.admit(7, 30, 5, 0, 1).unwrap();
    assert_eq!(
        pool.charge_external(p, 26, 30),
        Err(AccountingError::Ceiling)
    );
    assert_eq!(pool.charge_external(p, 1_000_000, u32::MAX), Ok(()));
    assert_eq!(pool.charge_external(p, 20, u32::MAX), Ok(()));
    // It is no frame of the pool.
    assert_eq!(pool.totals().free, before.free - 5);
    assert_eq!(pool.admit(7, 30, 6, 0, 1), Err(AccountingError::Ceiling));
    assert_eq!(pool.commit_more(p, 6, 30), Err(AccountingError::Ceiling));
    assert!(pool.admit(8, 30, 30, 0, 1).is_ok());
    let other = pool.admit(7, 30, 5, 0, 1).unwrap();
    assert_eq!(
        pool.charge_external(other, 1, 30),
        Err(AccountingError::Ceiling)
    );
    // What is external is released at once, whoever uses the rest.
    pool.close(p, 5).unwrap();
    assert_eq!(pool.charge_external(other, 20, 30), Ok(()));
    assert_eq!(pool.check(), Ok(()));
}

/// A driver's lease is never ended by force, and what is overdue keeps nobody waiting.
#[test]
fn a_driver_that_does_not_return_blocks_nobody() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    let kept = pool.borrow(a, 40, 0, BOTH, false, 0, TERM).unwrap();
    pool.make_non_revocable(kept.lease);
    pool.acknowledge(kept.lease);
    let large = pool.borrow(b, 90, 0, BOTH, true, 0, TERM).unwrap();
    let small = pool.borrow(b, 10, 0, BOTH, true, 0, TERM).unwrap();
    assert_eq!(pool.due(TERM - 1), Some(DueAction::Recall(kept.lease)));
    assert_eq!(serve(&mut pool, TERM - 1), None);
    assert_eq!(pool.due(TERM), Some(DueAction::Report(kept.lease)));
    assert_eq!(pool.due(TERM), None);
    let totals = pool.totals();
    assert_eq!(
        (totals.overdue, totals.lent, totals.lendable()),
        (40, 0, 60)
    );
    assert_eq!(pool.account(a).counters().overdues, 1);
    // Ninety are not there any longer; the next waiter is served.
    assert_eq!(serve(&mut pool, TERM), Some(large.lease));
    assert_eq!(pool.withdraw(large.lease), RequestOutcome::Refused);
    assert_eq!(serve(&mut pool, TERM), Some(small.lease));
    let asked = pool.borrow(b, 61, 0, BOTH, true, TERM, TERM).err();
    assert_eq!(asked, Some(AccountingError::TooBig));
    // Late is better than never.
    assert_eq!(
        pool.claim(a, kept.handle, EndReason::Revoked),
        Err(AccountingError::Busy)
    );
    pool.claim(a, kept.handle, EndReason::Returned).unwrap();
    pool.complete_return(kept.lease, EndReason::Returned);
    assert_eq!(pool.totals().lendable(), 100);
    assert_eq!(pool.check(), Ok(()));
}

/// A request that waits for budget may want more than there is while a driver is
/// overdue. That refuses no partition, except for the frames the driver may return.
#[test]
fn a_waiter_that_cannot_be_served_now_refuses_no_partition() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 80));
    let kept = pool.borrow(a, 40, 0, BOTH, false, 0, TERM).unwrap();
    pool.make_non_revocable(kept.lease);
    pool.acknowledge(kept.lease);
    pool.borrow(b, 20, 0, BOTH, false, 1, TERM).unwrap();
    let waits = pool.borrow(b, 70, 0, BOTH, true, 1, TERM).unwrap();
    assert_eq!(pool.due(TERM - 1), Some(DueAction::Recall(kept.lease)));
    while let Some(due) = pool.due(TERM) {
        if due == DueAction::Report(kept.lease) {
            break;
        }
    }
    assert_eq!((pool.totals().overdue, pool.totals().lendable()), (40, 60));
    assert_eq!(pool.outcome(waits.lease), RequestOutcome::Waiting);
    let p = pool.admit(0, u32::MAX, 0, 1, 1).unwrap();
    // Thirty can be spared once the driver has returned, and are free now.
    assert_eq!(
        pool.commit_more(p, 31, u32::MAX),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(pool.commit_more(p, 30, u32::MAX), Ok(()));
    pool.claim(a, kept.handle, EndReason::Returned).unwrap();
    pool.complete_return(kept.lease, EndReason::Returned);
    assert_eq!(pool.totals().lendable(), 70);
    assert_eq!(pool.check(), Ok(()));
}

#[test]
fn a_stock_takes_only_what_no_request_waits_for() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    pool.borrow(a, 60, 0, BOTH, true, 0, TERM).unwrap();
    assert_eq!(pool.commit_spare(b, 10), Ok(()));
    pool.borrow(a, 40, 0, BOTH, true, 0, TERM).unwrap();
    assert_eq!(pool.commit_spare(b, 1), Err(AccountingError::Waited));
}

/// Closing a partition takes several steps; a lease of its own that ends between them is
/// nothing for its waiters.
#[test]
fn a_dying_partition_is_granted_nothing() {
    let mut pool = pool(WaitOrder::Prio);
    let p = partition(&mut pool, 0, 50);
    let first = pool.borrow(p, 50, 9, BOTH, true, 0, TERM).unwrap();
    pool.acknowledge(first.lease);
    let waits = pool.borrow(p, 50, 9, BOTH, true, 0, TERM).unwrap();
    assert!(waits.granted.is_none());
    pool.begin_close(p);
    pool.claim(p, first.handle, EndReason::Revoked).unwrap();
    pool.complete_return(first.lease, EndReason::Revoked);
    assert_eq!(serve(&mut pool, 1), Some(waits.lease));
    assert_eq!(pool.outcome(waits.lease), RequestOutcome::Died);
    assert_eq!(pool.totals().lent, 0);
    pool.check().unwrap();
}

#[test]
fn no_reserve_takes_what_a_small_request_waits_for_beside_a_large_one() {
    let mut pool = pool(WaitOrder::Fifo);
    let driver = partition(&mut pool, 0, 100);
    let (large, small) = (partition(&mut pool, 0, 100), partition(&mut pool, 0, 100));
    let late = pool
        .borrow(driver, 60, 0, BOTH, false, 0, 10)
        .unwrap()
        .lease;
    pool.make_non_revocable(late);
    pool.acknowledge(late);
    let rest = pool.borrow(small, 40, 0, BOTH, false, 0, TERM).unwrap();
    pool.acknowledge(rest.lease);
    for (p, frames) in [(large, 50), (small, 30)] {
        assert_eq!(
            pool.borrow(p, frames, 0, BOTH, true, 0, TERM)
                .unwrap()
                .granted,
            None
        );
    }
    while pool.due(10).is_some() {}
    pool.claim(small, rest.handle, EndReason::Returned).unwrap();
    pool.complete_return(rest.lease, EndReason::Returned);
    // 40 are free and 60 overdue: the large one waits for what is overdue.
    assert_eq!(pool.totals().overdue, 60);
    assert_eq!(
        pool.commit_more(large, 11, u32::MAX),
        Err(AccountingError::NoSpace)
    );
    assert_eq!(pool.commit_more(large, 10, u32::MAX), Ok(()));
}

/// What was granted after a deadline does not come before the lease that ended then, be it
/// recalled at once or its partition closed.
#[test]
fn what_is_granted_later_is_not_due_before() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 50), partition(&mut pool, 0, 50));
    let first = pool.borrow(a, 50, 0, BOTH, false, 0, TERM).unwrap();
    assert_eq!(pool.due(TERM - 1), Some(DueAction::Recall(first.lease)));
    // Shorter than the grace, so its recall would have been due before the deadline.
    let short = pool.borrow(b, 1, 0, BOTH, false, TERM + 1, 2).unwrap();
    let closed = pool.borrow(b, 1, 0, BOTH, false, TERM + 2, TERM).unwrap();
    pool.begin_close(b);
    assert_eq!(pool.close_slice(b, closed.slice), None);
    let late = TERM + 9;
    assert_eq!(pool.due(late), Some(DueAction::Revoke(first.lease)));
    assert_eq!(pool.due(late), Some(DueAction::Revoke(short.lease)));
    assert_eq!(pool.due(late), Some(DueAction::Revoke(closed.lease)));
    assert_eq!(pool.due(late), None);
}

/// Nobody ended it yet: it can be returned, but not renewed.
#[test]
fn what_has_expired_can_be_returned_and_not_renewed() {
    let mut pool = pool(WaitOrder::Fifo);
    let a = partition(&mut pool, 0, 50);
    let lease = pool.borrow(a, 50, 0, BOTH, false, 0, TERM).unwrap();
    pool.acknowledge(lease.lease);
    let renewed = pool.renew(a, lease.handle, TERM, TERM);
    assert_eq!(renewed, Err(AccountingError::Stale));
    // Handed over to whoever ends it, who has not begun.
    assert_eq!(pool.due(TERM), Some(DueAction::Revoke(lease.lease)));
    let renewed = pool.renew(a, lease.handle, TERM, TERM);
    assert_eq!(renewed, Err(AccountingError::Stale));
    let claimed = pool.claim(a, lease.handle, EndReason::Returned).unwrap();
    let again = pool.claim(a, lease.handle, EndReason::Revoked);
    assert_eq!(again, Err(AccountingError::Stale));
    pool.complete_return(claimed, EndReason::Returned);
    assert_eq!(pool.account(a).counters().returns, 1);
    assert_eq!(pool.totals().lent, 0);
    assert_eq!(pool.check(), Ok(()));
}

/// A renewal is a grant anew.
#[test]
fn what_is_renewed_later_is_not_due_before() {
    let mut pool = pool(WaitOrder::Fifo);
    let (a, b) = (partition(&mut pool, 0, 50), partition(&mut pool, 0, 50));
    let first = pool.borrow(a, 50, 0, BOTH, false, 0, TERM - 10).unwrap();
    let other = pool.borrow(b, 1, 0, BOTH, false, 0, TERM).unwrap();
    assert_eq!(pool.due(TERM - 11), Some(DueAction::Recall(first.lease)));
    pool.renew(b, other.handle, TERM - 5, 10).unwrap();
    assert_eq!(pool.due(TERM - 1), Some(DueAction::Revoke(first.lease)));
    assert_eq!(pool.due(TERM - 1), Some(DueAction::Recall(other.lease)));
}
