// SPDX-License-Identifier: GPL-2.0

//! The accounting of the pool: who may have how many frames, who waits for some, and
//! until when each lease runs.
//!
//! This is the whole protocol of lending as one object that only counts. The
//! kernel side holds a lock around each call and moves frames and page tables
//! outside of it; tests drive the same object on the host.
//!
//! No call takes more steps than there are waiters, or log2 of the leases,
//! whichever is more; the few that run at set-up go through all accounts.

use core::ops::DerefMut;

mod account;
mod admission;
mod borrowing;
mod check;
mod deadlines;
mod ending;
mod lease;
mod queue;

pub use account::Account;
#[allow(unused_imports)] // Named by those who keep a copy.
pub use account::AccountCounters;
pub use lease::{Lease, LeaseState};
use queue::Queue;

/// Frames of the pool.
pub type Frames = u32;

/// No entry of a table.
const NONE: u32 = u32::MAX;

/// The most leases of one partition.
pub const MAX_LEASES_PER_PARTITION: u32 = 64;

/// The place of a partition's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionId(pub u32);

/// The place of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseId(pub u32);

/// In which order waiters are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOrder {
    /// By priority, then arrival.
    Prio,
    /// By arrival.
    Fifo,
}

/// What a borrower is ready to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitReasons {
    /// Its own partition's limit.
    pub budget: bool,
    /// Free frames of the pool.
    pub pool: bool,
}

/// What the pool is, and how it lends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All frames.
    pub capacity: Frames,
    /// The most requests that wait at a time.
    pub max_waiters: u32,
    /// Who is served first.
    pub order: WaitOrder,
    /// The longest term.
    pub max_lease_ns: u64,
    /// How long before its deadline a lease is recalled.
    pub grace_ns: u64,
}

/// Why a call was refused; nothing was changed then, beside counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountingError {
    /// The pool has not so many frames to commit.
    NoSpace,
    /// The owner would have more committed than it may.
    Ceiling,
    /// There are as many partitions as there can be.
    NoPartitionSlot,
    /// No frames were asked for.
    Empty,
    /// More frames than the partition can ever borrow, or, for who would wait for
    /// them, than are in no reserve: no end of a lease would free them.
    TooBig,
    /// A term of 0 or longer than the longest.
    Term,
    /// The partition was destroyed.
    Dying,
    /// The partition has as much on lease as it may.
    Quota,
    /// There are as many leases as there can be.
    LeaseTable,
    /// There are as many waiters as there can be.
    WaiterTable,
    /// There are not so many free frames, or somebody is before.
    WouldBlock,
    /// Somebody waits, so no lease is renewed.
    Waited,
    /// The lease is over, or being ended.
    Stale,
    /// Never a lease of this partition.
    Foreign,
    /// A partition with leases cannot be retired.
    Busy,
}

/// A request that was taken in.
#[derive(Clone, Copy, Debug)]
pub struct BorrowTicket {
    /// The lease it is or will be.
    pub lease: LeaseId,
    /// Its slice of the partition's lease window.
    pub slice: u32,
    /// Its handle.
    pub handle: u64,
    /// When it expires, if it was granted at once; otherwise it waits.
    pub granted: Option<u64>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It waits.
    Waiting,
    /// It has its frames.
    Granted {
        /// Until then.
        expires: u64,
    },
    /// Its partition was destroyed.
    Died,
    /// There was budget at last, but no frames, for which it would not wait.
    Refused,
    /// It was granted and its term passed before its borrower looked.
    Ended,
}

/// What [`Accounting::serve`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServeResult {
    /// Nothing; there is nothing it could do.
    Nothing,
    /// It moved a request from its partition's queue to the pool's.
    Moved,
    /// It resolved a request: wake who waits for it.
    Resolved(LeaseId),
}

/// What is to be done about a lease now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueAction {
    /// Announce its end.
    Recall(LeaseId),
    /// See that it ends: claim it, unmap it, free its frames, then
    /// [`Accounting::complete_return`]; or wait for who claimed it before.
    Revoke(LeaseId),
    /// Report it: a driver has not returned it in time, and cannot be made to.
    Report(LeaseId),
}

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// By its borrower.
    Returned,
    /// By force.
    Revoked,
    /// With its partition.
    Abandoned,
}

/// The pool in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All frames.
    pub capacity: Frames,
    /// Frames of reserves.
    pub committed: Frames,
    /// Frames on lease.
    pub lent: Frames,
    /// Frames of leases that drivers have not returned in time.
    pub overdue: Frames,
    /// The rest.
    pub free: Frames,
    /// Leases, waiting ones included.
    pub leases: u32,
    /// Requests that wait.
    pub waiters: u32,
    /// Partitions, dead ones with frames in quarantine included.
    pub partitions: u32,
}

impl Totals {
    /// Frames in no reserve, and not overdue: what can be on lease at most.
    pub fn lendable(&self) -> Frames {
        self.lent + self.free
    }
}

/// The accounting.
#[derive(Clone, Debug)]
pub struct Accounting<A, L, H> {
    limits: Limits,
    accounts: A,
    leases: L,
    /// A binary heap of the leases that run, by when something is due.
    heap: H,
    heap_len: u32,
    /// The first unused lease, chained by `next`.
    unused: u32,
    /// Requests that wait for frames, in the order they are served.
    queue: Queue,
    /// How many of those would not wait for frames, only for their budget.
    impatient: u32,
    /// The first account that may have budget for who waits for it, chained by
    /// `next_ready`.
    ready_accounts: u32,
    totals: Totals,
    /// Counts requests, to tell who came first.
    arrivals: u64,
}

impl<A, L, H> Accounting<A, L, H>
where
    A: DerefMut<Target = [Account]>,
    L: DerefMut<Target = [Lease]>,
    H: DerefMut<Target = [u32]>,
{
    /// Opens the accounting on empty tables. The heap's has as many entries as the one
    /// of leases. O(leases).
    pub fn new(limits: Limits, accounts: A, leases: L, heap: H) -> Result<Self, AccountingError> {
        if heap.len() < leases.len() || leases.len() >= NONE as usize || accounts.is_empty() {
            return Err(AccountingError::LeaseTable);
        }
        let mut accounting = Self {
            limits,
            accounts,
            leases,
            heap,
            heap_len: 0,
            unused: NONE,
            queue: Queue::EMPTY,
            impatient: 0,
            ready_accounts: NONE,
            totals: Totals {
                capacity: limits.capacity,
                free: limits.capacity,
                ..Totals::default()
            },
            arrivals: 0,
        };
        for index in (0..accounting.leases.len() as u32).rev() {
            let next = accounting.unused;
            accounting.lease_mut(index).next = next;
            accounting.unused = index;
        }
        Ok(accounting)
    }

    // The tables are only indexed with slice_leases that came out of them; one that did
    // not gets an entry that belongs to nothing.

    fn entry(&self, index: u32) -> &Lease {
        self.leases.get(index as usize).unwrap_or(&Lease::EMPTY)
    }

    fn lease_mut(&mut self, index: u32) -> &mut Lease {
        let last = self.leases.len().saturating_sub(1);
        &mut self.leases[(index as usize).min(last)]
    }

    fn account_of(&mut self, p: PartitionId) -> &mut Account {
        let last = self.accounts.len().saturating_sub(1);
        &mut self.accounts[(p.0 as usize).min(last)]
    }

    /// A lease.
    pub fn lease(&self, lease: LeaseId) -> &Lease {
        self.entry(lease.0)
    }

    /// An account.
    pub fn account(&self, p: PartitionId) -> &Account {
        self.accounts.get(p.0 as usize).unwrap_or(&Account::EMPTY)
    }

    /// Lets the peak of what a partition had on lease start anew.
    pub fn reset_peak(&mut self, p: PartitionId) {
        let account = self.account_of(p);
        account.lent_peak = account.lent;
    }

    /// The pool in numbers.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The lease in a slice of a partition.
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

    /// The running or waiting lease a handle names. O(1).
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
            // Its handle was not given out yet.
            _ => Err(AccountingError::Foreign),
        }
    }
}
