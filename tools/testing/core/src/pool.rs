// SPDX-License-Identifier: GPL-2.0

//! A small pool, and what the module does with it.

use std::convert::Infallible;

use genp_core::{
    accounting::{
        Accounting, EndReason, LeaseId, Limits, Memory, PartitionId, ServeResult, Tables,
        UserLimits, WaitOrder, WaitReasons,
    },
    recall_share::RecallShare,
};

/// Tables on the heap of the host.
pub struct Host;

impl Memory for Host {
    type Table<T: Clone> = Vec<T>;
    type Error = Infallible;

    fn table<T: Clone>(count: u32, value: T) -> Result<Vec<T>, Infallible> {
        Ok(vec![value; count as usize])
    }
}

pub type Pool = Accounting<Host>;

pub const CAPACITY: u32 = 100;
pub const TERM: u64 = 1000;
pub const GRACE: u64 = 100;
pub const WAITERS: u32 = 6;
pub const BOTH: WaitReasons = WaitReasons {
    budget: true,
    pool: true,
};

/// An accounting of these limits for as many partitions and leases.
pub fn with_limits(limits: Limits, accounts: u32, leases: u32) -> Pool {
    let Ok(tables) = Tables::new(&limits, accounts, leases);
    Accounting::new(limits, tables)
}

pub fn pool(order: WaitOrder) -> Pool {
    pool_of_users(order, UserLimits::NONE)
}

pub fn pool_of_users(order: WaitOrder, users: UserLimits) -> Pool {
    let limits = Limits {
        capacity: CAPACITY,
        max_waiters: WAITERS,
        order,
        max_lease_ns: TERM,
        grace_ns: GRACE,
        share: RecallShare::UNLIMITED,
        users,
    };
    with_limits(limits, 5, 24)
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
