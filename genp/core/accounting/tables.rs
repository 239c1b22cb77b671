// SPDX-License-Identifier: GPL-2.0

//! The tables of an accounting before anything is in them.

use super::{
    super::count::Count, Account, Lease, Limits, Memory, Ranking, Users, Waiters, MAX_PARTITIONS,
    MAX_WAITERS, NONE,
};

/// All memory that an [`super::Accounting`] has.
pub struct Tables<M: Memory> {
    pub(super) accounts: M::Table<Account>,
    pub(super) users: Users<M>,
    pub(super) leases: M::Table<Lease>,
    pub(super) heap: M::Table<u32>,
    /// The first unused lease.
    pub(super) unused: u32,
    pub(super) waiters: Waiters<M>,
    pub(super) vacant: Ranking<M::Table<u8>>,
}

impl<M: Memory> Tables<M> {
    /// Tables for at most `accounts` partitions and `leases` leases at a time, no more than
    /// [`MAX_PARTITIONS`] of the former. O(leases). Errors: those of the memory.
    pub fn new(limits: &Limits, accounts: u32, leases: u32) -> Result<Self, M::Error> {
        let accounts = accounts.min(MAX_PARTITIONS);
        let leases = leases.min(NONE.minus(1));
        Ok(Self {
            accounts: M::table(accounts, Account::EMPTY)?,
            users: Users::new(accounts)?,
            leases: Self::unused_leases(leases)?,
            heap: M::table(leases, NONE)?,
            unused: if leases == 0 { NONE } else { 0 },
            waiters: Waiters::new(limits.order, limits.max_waiters.min(MAX_WAITERS))?,
            vacant: Self::vacant_accounts(accounts)?,
        })
    }

    /// A chain from the first to the last.
    fn unused_leases(count: u32) -> Result<M::Table<Lease>, M::Error> {
        let mut leases = M::table(count, Lease::EMPTY)?;
        let followers = (1..count).chain([NONE]);
        for (lease, next) in leases.iter_mut().zip(followers) {
            lease.next = next;
        }
        Ok(leases)
    }

    /// All of them, the first one last: it is taken first.
    fn vacant_accounts(count: u32) -> Result<Ranking<M::Table<u8>>, M::Error> {
        let mut vacant = Ranking::new(M::table(count, 0)?);
        for id in (0..=u8::MAX).rev().filter(|&id| u32::from(id) < count) {
            vacant.insert(vacant.len(), id);
        }
        Ok(vacant)
    }
}
