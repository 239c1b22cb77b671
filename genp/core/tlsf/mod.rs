// SPDX-License-Identifier: GPL-2.0

//! Allocates regions out of a reserve of units, and frees them, in constant time.
//!
//! Two-level segregated fit, after Masmano, Ripoll, Crespo and Real, "TLSF: a new
//! dynamic memory allocator for real-time systems", ECRTS 2004. Unlike there, the
//! description of each block is in a table of its own instead of in the memory that is
//! handed out: no user can overwrite it, and the memory need not be mapped.

use core::ops::DerefMut;

use super::count::Count;

mod blocks;
mod check;
mod claim;
mod classes;
mod end;
mod node;
mod nodes;
mod placement;
mod release;
mod resize;

pub use classes::class_ceiling;
use classes::Classes;
use end::END;
use node::BlockState;
pub use node::Node;
pub use nodes::Nodes;
use placement::SearchState;
pub use placement::{SearchRequest, Strategy};

/// Why a call was refused. Nothing was changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsfError {
    /// A request for 0 units.
    Empty,
    /// The alignment is not a power of two.
    BadAlign,
    /// More units than there are, or an offset beyond them.
    TooLarge,
    /// No free block is large enough, or found in constant time.
    NoBlock,
    /// There are as many regions as the table has nodes for.
    NoNode,
    /// The region of this handle was freed before.
    Stale,
    /// The handle was never returned here, or is of a region of the other owner.
    Foreign,
    /// A region lies in what would be cut off, or another search is under way.
    Busy,
}

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its first unit, from 0.
    pub offset: u32,
    /// Its length in units.
    pub units: u32,
    /// Names the region until it is freed. Never 0, and bit 63 is never set: that
    /// distinguishes it from the handle of a lease.
    pub handle: u64,
}

/// The allocator of one reserve. `N` is its table of nodes.
///
/// Units have no size here; the module makes them `1 << order` bytes. What every call needs
/// is in the first cache line, and the map of classes in the second one.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Tlsf<N> {
    nodes: N,
    /// Regions ever allocated.
    allocs: u64,
    /// The first unused node, chained by `next`.
    unused_nodes: u32,
    /// How many more regions there may be.
    vacant: u32,
    /// Regions of drivers.
    driver_owned: u32,
    used: u32,
    used_peak: u32,
    /// Whether a search by strategy is under way.
    searching: bool,
    classes: Classes,
    units: u32,
    max_regions: u32,
    /// The generation of all nodes at the beginning.
    seed: u32,
    search: SearchState,
}

// The table of nodes is a pointer and two lengths.
const _: () = assert!(core::mem::offset_of!(Tlsf<[u64; 3]>, classes) == 56);

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// An allocator of no units yet: see [`Self::grow`]. Cannot fail, so that an object of
    /// this size can be made where it is to stay.
    pub fn new(nodes: Nodes<N>) -> Self {
        Self {
            unused_nodes: nodes.first_unused(),
            nodes: nodes.table,
            allocs: 0,
            vacant: nodes.max_regions,
            driver_owned: 0,
            used: 0,
            used_peak: 0,
            searching: false,
            classes: Classes::new(),
            units: 0,
            max_regions: nodes.max_regions,
            seed: nodes.seed,
            search: SearchState::Idle,
        }
    }

    /// The number of units, free or not.
    pub fn units(&self) -> u32 {
        self.units
    }

    /// The number of units in regions.
    pub fn used_units(&self) -> u32 {
        self.used
    }

    /// The most units in regions at a time since [`Self::reset_peak`].
    pub fn used_peak(&self) -> u32 {
        self.used_peak
    }

    /// Sets the peak to the present number of units in regions.
    pub fn reset_peak(&mut self) {
        self.used_peak = self.used;
    }

    /// The number of regions of drivers.
    pub fn driver_owned(&self) -> u32 {
        self.driver_owned
    }

    /// The number of regions.
    pub fn regions(&self) -> u32 {
        self.max_regions.minus(self.vacant)
    }

    /// The number of regions ever allocated.
    pub fn allocs(&self) -> u64 {
        self.allocs
    }

    /// The number of regions ever freed.
    pub fn frees(&self) -> u64 {
        self.allocs.minus(self.regions().into())
    }

    /// A number of units for which [`Self::alloc`] without an alignment finds a block
    /// now. O(1): it is the first block of the highest size class that has one, which
    /// need not be the largest of that class.
    pub fn largest_free(&self) -> u32 {
        self.node(self.classes.highest()).units
    }
}
