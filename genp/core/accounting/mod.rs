// SPDX-License-Identifier: GPL-2.0

//! The accounting of the pool: how many frames each partition has committed and may
//! borrow, which requests wait, and until when each lease runs.
//!
//! This is the whole protocol of lending as one object that only counts. The module
//! holds a lock around each call and moves frames and page tables outside of it; tests
//! drive the same object on the host.
//!
//! No call goes through a table: each takes a number of steps that grows with the
//! logarithms of the numbers of leases, waiters and partitions, and moves a few lists of a
//! byte for each waiter or partition.
//!
//! Deadlines are kept in a binary heap (Williams, "Algorithm 232: Heapsort", 1964) over
//! the table of leases; waiters, users and unused accounts in sorted lists.

use super::recall_share::RecallShare;

mod account;
pub mod admission;
mod borrowing;
mod ceilings;
mod check;
mod children;
mod commitments;
mod due;
mod ending;
mod lease;
mod lease_table;
mod memory;
mod pace;
mod poison;
mod ranking;
mod tables;
mod timer;
mod totals;
mod urgency;
mod users;
mod waiters;

pub use account::Account;
#[allow(unused_imports)] // For callers that keep a copy.
pub use account::AccountCounters;
pub use children::{Share, MAX_DEPTH};
pub use lease::{Lease, LeaseState};
pub use memory::Memory;
use ranking::Ranking;
pub use tables::Tables;
use timer::Timer;
pub use totals::Totals;
pub use users::UserLimits;
use users::Users;
use waiters::Waiters;

/// A number of frames of the pool. A frame is a page.
pub type Frames = u32;

/// No entry of a table.
const NONE: u32 = u32::MAX;

/// The most leases and waiting requests of one partition: one bit of a word each.
pub const MAX_LEASES_PER_PARTITION: u32 = 64;

/// The most partitions at a time.
pub const MAX_PARTITIONS: u32 = ranking::MOST;

/// The most waiting requests at a time.
pub const MAX_WAITERS: u32 = ranking::MOST;

/// The index of a partition's account in the table of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionId(pub u32);

/// The index of a lease in the table of leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseId(pub u32);

/// The order in which waiters are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOrder {
    /// By priority, then arrival.
    Prio,
    /// By arrival.
    Fifo,
}

/// What a request may wait for, if it may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitReasons {
    /// The budget of its partition: the limit, less what is charged.
    pub budget: bool,
    /// Free frames of the pool.
    pub pool: bool,
}

/// The size of the pool, and the rules of lending.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All frames of the pool.
    pub capacity: Frames,
    /// The most waiting requests at a time.
    pub max_waiters: u32,
    /// Which waiter is served first.
    pub order: WaitOrder,
    /// The longest term of a lease, in nanoseconds.
    pub max_lease_ns: u64,
    /// How long before its deadline a lease is recalled, in nanoseconds.
    pub grace_ns: u64,
    /// How much work of the recall thread partitions may cause.
    pub share: RecallShare,
    /// What one user may have.
    pub users: UserLimits,
}

/// Why a call was refused. Nothing was changed then, except counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountingError {
    /// The pool has too few frames to commit, or a waiter could not be served any more.
    NoSpace,
    /// The user would have more committed than its ceiling.
    Ceiling,
    /// The user has as many partitions as it may.
    UserPartitions,
    /// The user's partitions would be promised more leases than it may have.
    UserLeases,
    /// As many requests of the user wait as may.
    UserWaiters,
    /// All accounts are in use.
    NoPartitionSlot,
    /// A request for 0 frames.
    Empty,
    /// More frames than the limit of the partition; or, for a request that may wait for
    /// frames, more than can be lent: waiting would be in vain.
    TooBig,
    /// A term of 0, or one longer than the longest.
    Term,
    /// The partition is being closed.
    Dying,
    /// The budget of the partition is used up.
    Quota,
    /// All leases are in use, or all of the partition.
    LeaseTable,
    /// There are as many waiters as allowed.
    WaiterTable,
    /// Too few frames are free, or a waiter comes first.
    WouldBlock,
    /// The partition caused the recall thread as much work as it may, for now.
    Pace,
    /// A request waits, so no lease is renewed and nothing is committed to a stock.
    Waited,
    /// The lease ended, or is being ended.
    Stale,
    /// No lease of this partition had this handle.
    Foreign,
    /// Less would be left than is in use.
    InUse,
    /// The account has leases; or the lease is a driver's and not being returned.
    Busy,
}

/// A request that was accepted by [`Accounting::borrow`].
#[derive(Clone, Copy, Debug)]
pub struct BorrowTicket {
    /// The lease it has or will have.
    pub lease: LeaseId,
    /// Its slice of the partition's lease window, below [`MAX_LEASES_PER_PARTITION`].
    pub slice: u32,
    /// The handle of the lease.
    pub handle: u64,
    /// When the lease expires, if it was granted at once; `None` if the request waits.
    pub granted: Option<u64>,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It waits.
    Waiting,
    /// It has its frames.
    Granted {
        /// The deadline.
        expires: u64,
    },
    /// Its partition was closed.
    Died,
    /// It got its budget, but there were no frames, for which it may not wait; or what
    /// it waits for is overdue.
    Refused,
    /// It was granted, and the lease ended before its borrower acknowledged it.
    Ended,
}

/// What [`Accounting::serve`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServeResult {
    /// Nothing: no waiter can be served.
    Nothing,
    /// It moved a request from its partition's queue to the pool's.
    Moved,
    /// It granted or refused this request: wake its waiter.
    Resolved(LeaseId),
}

/// What is to be done about a lease that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueAction {
    /// Announce its end to the borrower.
    Recall(LeaseId),
    /// End it: [`Accounting::claim`] it, unmap it, free its frames, then call
    /// [`Accounting::complete_return`]; or wait for whoever has claimed it.
    Revoke(LeaseId),
    /// Report it: a driver has not returned it in time, and cannot be forced to.
    Report(LeaseId),
}

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its borrower returned it.
    Returned,
    /// It was ended by force.
    Revoked,
    /// Its partition was closed.
    Abandoned,
}

/// The accounting of one pool, with its tables in memory of the kind `M`.
pub struct Accounting<M: Memory> {
    limits: Limits,
    accounts: M::Table<Account>,
    users: Users<M>,
    leases: M::Table<Lease>,
    /// The account and the lease of an index that is out of range.
    stray_account: Account,
    stray_lease: Lease,
    /// A binary heap of the running leases, ordered by `due`.
    heap: M::Table<u32>,
    heap_len: u32,
    timer: Timer,
    /// The first unused lease, chained by `next`.
    unused: u32,
    waiters: Waiters<M>,
    /// Unused accounts, the one that is longest within its part of the recall thread's
    /// work last.
    vacant: Ranking<M::Table<u8>>,
    /// The first account with a waiter that its budget allows, chained by `next_ready`.
    ready_accounts: u32,
    totals: Totals,
    /// Poisoned frames that were promised to somebody.
    owed: Frames,
    /// Counts requests, to order them by arrival.
    arrivals: u64,
    /// What was refused for a ceiling of a user.
    ceiling_refusals: u64,
}

impl<M: Memory> Accounting<M> {
    /// An accounting with all frames free. `limits` are those that the tables were made
    /// for. Cannot fail, so that an object of this size can be made where it is to stay.
    pub fn new(limits: Limits, tables: Tables<M>) -> Self {
        Self {
            limits: Limits {
                max_waiters: limits.max_waiters.min(MAX_WAITERS),
                ..limits
            },
            accounts: tables.accounts,
            users: tables.users,
            leases: tables.leases,
            stray_account: Account::EMPTY,
            stray_lease: Lease::EMPTY,
            heap: tables.heap,
            heap_len: 0,
            timer: Timer::NEVER,
            unused: tables.unused,
            waiters: tables.waiters,
            vacant: tables.vacant,
            ready_accounts: NONE,
            totals: Totals {
                capacity: limits.capacity,
                free: limits.capacity,
                ..Totals::default()
            },
            owed: 0,
            arrivals: 0,
            ceiling_refusals: 0,
        }
    }

    // The tables are only indexed with numbers that came out of them. Any other number
    // reads as an empty entry and writes to the stray one, so that no damage can spread.

    fn entry(&self, index: u32) -> &Lease {
        self.leases.get(index as usize).unwrap_or(&Lease::EMPTY)
    }

    fn lease_mut(&mut self, index: u32) -> &mut Lease {
        match self.leases.get_mut(index as usize) {
            Some(lease) => lease,
            None => {
                self.stray_lease = Lease::EMPTY;
                &mut self.stray_lease
            }
        }
    }

    fn account_of(&mut self, p: PartitionId) -> &mut Account {
        match self.accounts.get_mut(p.0 as usize) {
            Some(account) => account,
            // not-reached: the numbers of accounts come from this table.
            None => self.stray_account.emptied(),
        }
    }

    /// The entry of a lease; an empty one for an unknown number. O(1).
    pub fn lease(&self, lease: LeaseId) -> &Lease {
        self.entry(lease.0)
    }

    /// The account of a partition; an empty one for an unknown number. O(1).
    pub fn account(&self, p: PartitionId) -> &Account {
        self.accounts.get(p.0 as usize).unwrap_or(&Account::EMPTY)
    }

    /// Sets the peak of a partition's leases to what it has on lease now. O(1).
    pub fn reset_peak(&mut self, p: PartitionId) {
        let account = self.account_of(p);
        account.lent_peak = account.lent;
    }

    /// The pool in numbers. O(1).
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The priority of the most urgent request that waits, 99 for any that is not real-time;
    /// `None` if none waits. O(1).
    pub fn most_urgent(&self) -> Option<i32> {
        self.waiters.most_urgent()
    }

    /// The lease or waiting request in a slice of a partition, if there is one. O(1).
    pub fn lease_at(&self, p: PartitionId, slice: u32) -> Option<LeaseId> {
        let account = self.account(p);
        if slice >= MAX_LEASES_PER_PARTITION || (account.slices >> slice) & 1 == 0 {
            return None;
        }
        account
            .slice_leases
            .get(slice as usize)
            .copied()
            .map(LeaseId)
    }

    /// The running lease that a handle names. O(1).
    ///
    /// Errors: [`AccountingError::Stale`] if it has ended or is being ended,
    /// [`AccountingError::Foreign`] for any other handle.
    pub fn find(&self, p: PartitionId, handle: u64) -> Result<LeaseId, AccountingError> {
        let (index, generation) = lease::parts(handle).ok_or(AccountingError::Foreign)?;
        let entry = self
            .leases
            .get(index as usize)
            .ok_or(AccountingError::Foreign)?;
        if generation != entry.generation {
            return match lease::is_older(generation, entry.generation) {
                true => Err(AccountingError::Stale),
                false => Err(AccountingError::Foreign),
            };
        }
        if entry.partition != p {
            return Err(AccountingError::Foreign);
        }
        match entry.state {
            LeaseState::Active | LeaseState::Recalled | LeaseState::Overdue => Ok(LeaseId(index)),
            LeaseState::Ending | LeaseState::Over => Err(AccountingError::Stale),
            // A request: no caller has its handle yet.
            _ => Err(AccountingError::Foreign),
        }
    }
}
