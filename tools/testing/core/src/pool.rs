// SPDX-License-Identifier: GPL-2.0

//! A small pool, and what the module does with it.

use genp_core::{
    accounting::{
        Account, Accounting, EndReason, Lease, LeaseId, Limits, PartitionId, ServeResult,
        WaitOrder, WaitReasons,
    },
    recall_share::RecallShare,
};

pub type Pool = Accounting<Vec<Account>, Vec<Lease>, Vec<u32>>;

pub const CAPACITY: u32 = 100;
pub const TERM: u64 = 1000;
pub const GRACE: u64 = 100;
pub const WAITERS: u32 = 6;
pub const BOTH: WaitReasons = WaitReasons {
    budget: true,
    pool: true,
};

pub fn pool(order: WaitOrder) -> Pool {
    let limits = Limits {
        capacity: CAPACITY,
        max_waiters: WAITERS,
        order,
        max_lease_ns: TERM,
        grace_ns: GRACE,
        share: RecallShare::UNLIMITED,
    };
    Accounting::new(
        limits,
        vec![Account::EMPTY; 5],
        vec![Lease::EMPTY; 24],
        vec![0; 24],
    )
    .unwrap()
}

pub fn partition(pool: &mut Pool, reserve: u32, limit: u32) -> PartitionId {
    pool.admit(0, u32::MAX, reserve, limit, 8).unwrap()
}

/// What the recall thread does about a lease that is due.
pub fn revoke(pool: &mut Pool, lease: LeaseId) {
    let (p, handle) = (pool.lease(lease).partition(), pool.lease(lease).handle());
    assert_eq!(pool.claim(p, handle, EndReason::Revoked), Ok(lease));
    pool.complete_return(lease, EndReason::Revoked);
}

/// Serves until a request is resolved, and returns it.
pub fn serve(pool: &mut Pool, now: u64) -> Option<LeaseId> {
    loop {
        match pool.serve(now) {
            ServeResult::Nothing => return None,
            ServeResult::Moved => {}
            ServeResult::Resolved(lease) => return Some(lease),
        }
    }
}
