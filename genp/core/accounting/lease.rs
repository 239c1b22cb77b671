// SPDX-License-Identifier: GPL-2.0

//! A lease, from the request to its end.

use super::{super::owner::Owner, waiters::WaiterId, Frames, PartitionId, WaitReasons, NONE};

/// The state of a lease.
///
/// ```text
///             +-> Refused
/// BudgetWait -+-> PoolWait -> Active -> Recalled -> Ending -> Unused, or Over
///     +-----------+-> Died      ^----------+ renewed ^          -> Unused
///                    of a driver:          +-> Overdue
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// The entry is unused.
    Unused,
    /// A request that waits for the budget of its partition.
    BudgetWait,
    /// A request that waits for free frames.
    PoolWait,
    /// A request whose partition was closed while it waited.
    Died,
    /// A request that was refused; see [`super::RequestOutcome::Refused`].
    Refused,
    /// The lease runs.
    Active,
    /// The lease runs, and its end was announced.
    Recalled,
    /// The lease expired, and its driver has not returned it.
    Overdue,
    /// The lease was claimed, and is being unmapped.
    Ending,
    /// The lease ended before its borrower acknowledged it.
    Over,
}

/// One entry of the table of leases.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub(super) state: LeaseState,
    pub(super) partition: PartitionId,
    pub(super) frames: Frames,
    pub(super) slice: u32,
    /// The handle that names it.
    pub(super) handle: u64,
    /// Counts the leases that this entry described.
    pub(super) generation: u32,
    /// Its entry among the waiters.
    pub(super) waiter: WaiterId,
    pub(super) reasons: WaitReasons,
    pub(super) term: u64,
    /// What its end was charged, as long as it can be given back; see
    /// [`super::super::recall_share`].
    pub(super) work: u64,
    /// When it was granted, or renewed last: it is never due before.
    pub(super) granted: u64,
    pub(super) expires: u64,
    /// When something is to be done about it; `u64::MAX` for never.
    pub(super) due: u64,
    /// Its index in the heap, or `NONE`.
    pub(super) heap_at: u32,
    /// Chains unused entries.
    pub(super) next: u32,
    /// Whether its borrower knows that it was granted.
    pub(super) acknowledged: bool,
    /// Whose it is. A driver's cannot be ended by force.
    pub(super) owner: Owner,
}

/// Distinguishes handles of leases from those of regions.
const LEASE: u64 = 1 << 63;
const GENERATIONS: u32 = 0x7fff_ffff;

/// The index and the generation in a handle, if it is one of a lease.
pub(super) fn parts(handle: u64) -> Option<(u32, u32)> {
    if handle & LEASE == 0 {
        return None;
    }
    let index = (handle as u32).checked_sub(1)?;
    Some((index, (handle >> 32) as u32 & GENERATIONS))
}

/// Whether an entry had this generation before. Generations begin with 1.
pub(super) fn is_older(generation: u32, present: u32) -> bool {
    generation != 0 && generation < present
}

/// The handle of the lease `index` in this generation.
pub(super) fn handle(index: u32, generation: u32) -> u64 {
    LEASE | (u64::from(generation) << 32) | (u64::from(index) + 1)
}

impl Lease {
    /// An unused entry, for initial tables.
    pub const EMPTY: Self = Self {
        state: LeaseState::Unused,
        partition: PartitionId(NONE),
        frames: 0,
        slice: 0,
        handle: 0,
        generation: 1,
        waiter: WaiterId::NONE,
        reasons: WaitReasons {
            budget: false,
            pool: false,
        },
        term: 0,
        work: 0,
        granted: 0,
        expires: 0,
        due: 0,
        heap_at: NONE,
        next: NONE,
        acknowledged: false,
        owner: Owner::Process,
    };

    /// Its state.
    pub fn state(&self) -> LeaseState {
        self.state
    }

    /// The partition that has it.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Its length in frames.
    pub fn frames(&self) -> Frames {
        self.frames
    }

    /// Its slice of the partition's lease window, below
    /// [`super::MAX_LEASES_PER_PARTITION`].
    pub fn slice(&self) -> u32 {
        self.slice
    }

    /// Its handle.
    pub fn handle(&self) -> u64 {
        self.handle
    }

    /// Its deadline.
    pub fn expires(&self) -> u64 {
        self.expires
    }

    /// Whether it is a driver's, which cannot be ended by force.
    pub fn is_non_revocable(&self) -> bool {
        self.owner == Owner::Driver
    }

    /// The generation after this one: never 0, and 31 bits.
    pub(super) fn next_generation(&self) -> u32 {
        match self.generation.wrapping_add(1) & GENERATIONS {
            0 => 1,
            generation => generation,
        }
    }

    /// Whether this is a request that waits.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, LeaseState::BudgetWait | LeaseState::PoolWait)
    }
}
