// SPDX-License-Identifier: GPL-2.0

//! A lease, from the request to its end.

use super::{super::owner::Owner, Frames, PartitionId, WaitReasons, NONE};

/// Where a lease stands.
///
/// ```text
///             +-> Refused
/// BudgetWait -+-> PoolWait -> Active -> Recalled -> Ending -> Unused, or Over
///     +-----------+-> Died      ^----------+ renewed ^          -> Unused
///                    of a driver:          +-> Overdue
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// No lease.
    Unused,
    /// Waits for its partition's limit.
    BudgetWait,
    /// Waits for free frames.
    PoolWait,
    /// Its partition was destroyed while it waited.
    Died,
    /// It would not wait for frames.
    Refused,
    /// Runs.
    Active,
    /// Runs, and its end was announced.
    Recalled,
    /// Expired, and not returned by the driver who has it.
    Overdue,
    /// Somebody is unmapping it.
    Ending,
    /// Ended before its borrower looked.
    Over,
}

/// One entry of the table of leases.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub(super) state: LeaseState,
    pub(super) partition: PartitionId,
    pub(super) frames: Frames,
    pub(super) slice: u32,
    /// Names it while it runs.
    pub(super) handle: u64,
    /// Counts the leases this entry stood for.
    pub(super) generation: u32,
    pub(super) prio: i32,
    pub(super) arrival: u64,
    pub(super) reasons: WaitReasons,
    pub(super) term: u64,
    pub(super) expires: u64,
    /// When something is to be done.
    pub(super) due: u64,
    /// Its place in the heap, if it is there.
    pub(super) heap_at: u32,
    /// Neighbours in a queue; `next` chains unused entries too.
    pub(super) prev: u32,
    pub(super) next: u32,
    /// Whether its borrower knows that it was granted.
    pub(super) acknowledged: bool,
    /// Whether it is a driver's, and cannot be ended by force.
    pub(super) owner: Owner,
}

/// Tells handles of leases from those of regions.
const LEASE: u64 = 1 << 63;
const GENERATIONS: u32 = 0x7fff_ffff;

/// The entry and the generation a handle names, if it is one of a lease.
pub(super) fn parts(handle: u64) -> Option<(u32, u32)> {
    if handle & LEASE == 0 {
        return None;
    }
    let index = (handle as u32).checked_sub(1)?;
    Some((index, (handle >> 32) as u32 & GENERATIONS))
}

/// Whether an entry had this generation before; generations begin with 1.
pub(super) fn is_older(generation: u32, present: u32) -> bool {
    generation != 0 && generation < present
}

/// The handle of the lease `index` in this generation.
pub(super) fn handle(index: u32, generation: u32) -> u64 {
    LEASE | (u64::from(generation) << 32) | (u64::from(index) + 1)
}

impl Lease {
    /// No lease.
    pub const EMPTY: Self = Self {
        state: LeaseState::Unused,
        partition: PartitionId(NONE),
        frames: 0,
        slice: 0,
        handle: 0,
        generation: 1,
        prio: 0,
        arrival: 0,
        reasons: WaitReasons {
            budget: false,
            pool: false,
        },
        term: 0,
        expires: 0,
        due: 0,
        heap_at: NONE,
        prev: NONE,
        next: NONE,
        acknowledged: false,
        owner: Owner::Process,
    };

    /// Where it stands.
    pub fn state(&self) -> LeaseState {
        self.state
    }

    /// Whose it is.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Its length.
    pub fn frames(&self) -> Frames {
        self.frames
    }

    /// Its slice of the partition's lease window.
    pub fn slice(&self) -> u32 {
        self.slice
    }

    /// Its handle.
    pub fn handle(&self) -> u64 {
        self.handle
    }

    /// When it ends by force.
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

    /// Whether its request waits.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, LeaseState::BudgetWait | LeaseState::PoolWait)
    }
}
