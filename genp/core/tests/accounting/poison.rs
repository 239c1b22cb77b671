// SPDX-License-Identifier: GPL-2.0

//! Frames with memory errors.

use genp_core::accounting::{
    admission::{judge, Admission, User, Waiter},
    AccountingError, EndReason, RequestOutcome, Totals, WaitOrder,
};

use genp_core_testing::pool::{partition, pool, serve, BOTH, CAPACITY, TERM};

/// Capacity stays what it was, and admission follows what is left of it.
#[test]
fn admission_follows() {
    let mut pool = pool(WaitOrder::Prio);
    pool.retire(3);
    let totals = pool.totals();
    assert_eq!((totals.capacity, totals.poisoned), (CAPACITY, 3));
    assert_eq!(
        (totals.free, totals.lendable()),
        (CAPACITY - 3, CAPACITY - 3)
    );
    let all = CAPACITY - 2;
    assert_eq!(
        pool.admit(0, u32::MAX, all, 0, 1),
        Err(AccountingError::NoSpace)
    );
    let p = pool.admit(0, u32::MAX, all - 1, 0, 1).unwrap();
    // They are not free when a reserve is either.
    pool.close(p, 0).unwrap();
    assert_eq!(pool.totals().free, CAPACITY - 3);
    assert_eq!(pool.check(), Ok(()));
}

/// A frame that was promised already is paid by the next ones that come free, before they
/// are granted to anybody.
#[test]
fn what_was_promised_is_owed() {
    let mut pool = pool(WaitOrder::Fifo);
    let p = partition(&mut pool, CAPACITY, 0);
    pool.retire(2);
    assert_eq!((pool.totals().poisoned, pool.owed()), (0, 2));
    assert_eq!(pool.check(), Ok(()));
    pool.commit_less(p, 1).unwrap();
    assert_eq!((pool.totals().free, pool.totals().poisoned), (0, 1));
    pool.commit_less(p, 10).unwrap();
    assert_eq!((pool.totals().free, pool.totals().poisoned), (9, 2));
    assert_eq!(pool.owed(), 0);
    assert_eq!(pool.check(), Ok(()));
}

/// The same by a lease.
#[test]
fn a_lease_that_ends_pays() {
    let mut pool = pool(WaitOrder::Fifo);
    let p = partition(&mut pool, 0, CAPACITY);
    let lease = pool.borrow(p, CAPACITY, 0, BOTH, false, 0, TERM).unwrap();
    pool.acknowledge(lease.lease);
    pool.retire(1);
    assert_eq!(pool.owed(), 1);
    pool.claim(p, lease.handle, EndReason::Returned).unwrap();
    pool.complete_return(lease.lease, EndReason::Returned);
    assert_eq!(
        (pool.totals().free, pool.totals().poisoned),
        (CAPACITY - 1, 1)
    );
    assert_eq!(pool.check(), Ok(()));
}

/// Who waits for more than is left is refused, and does not wait forever.
#[test]
fn a_waiter_for_too_much_is_refused() {
    let mut pool = pool(WaitOrder::Fifo);
    let p = partition(&mut pool, 0, CAPACITY);
    let first = pool.borrow(p, 1, 0, BOTH, false, 0, TERM).unwrap();
    pool.acknowledge(first.lease);
    let q = partition(&mut pool, 0, CAPACITY);
    let all = pool.borrow(q, CAPACITY, 0, BOTH, true, 0, TERM).unwrap();
    assert!(all.granted.is_none());
    pool.retire(1);
    assert!(pool.can_serve());
    assert_eq!(serve(&mut pool, 1), Some(all.lease));
    assert_eq!(pool.withdraw(all.lease), RequestOutcome::Refused);
    let again = pool.borrow(q, CAPACITY, 0, BOTH, true, 0, TERM);
    assert_eq!(again.err(), Some(AccountingError::TooBig));
}

/// ... and meanwhile keeps nobody from creating a partition.
#[test]
fn such_a_waiter_refuses_no_partition() {
    let totals = Totals {
        capacity: 100,
        lent: 40,
        free: 59,
        poisoned: 1,
        waiters: 1,
        ..Totals::default()
    };
    let ask = |wants, frames| {
        let waiters = [Waiter::Wants(wants)].into_iter();
        judge(&totals, None, User::UNLIMITED, frames, waiters)
    };
    assert_eq!(ask(100, 59), Admission::Admitted);
    assert_eq!(ask(99, 1), Admission::Refused(AccountingError::NoSpace));
}
