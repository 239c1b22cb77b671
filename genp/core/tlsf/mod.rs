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
mod classes;
mod node;
mod nodes;
mod placement;
mod resize;

pub use classes::class_ceiling;
use classes::{Class, Classes};
pub use node::Node;
use node::{BlockState, NONE};
pub use nodes::Nodes;
use nodes::GENERATIONS;
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
/// Units have no size here; the module makes them `1 << order` bytes.
#[derive(Debug)]
pub struct Tlsf<N> {
    nodes: N,
    /// The node of an index that is out of range.
    stray: Node,
    classes: Classes,
    /// The first unused node, chained by `next`.
    unused_nodes: u32,
    /// The block with the lowest offset.
    bottom: u32,
    /// The block with the highest offset.
    top: u32,
    units: u32,
    used: u32,
    used_peak: u32,
    regions: u32,
    /// Those of drivers among `regions`.
    driver_owned: u32,
    max_regions: u32,
    /// The generation of all nodes at the beginning.
    seed: u32,
    search: SearchState,
}

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// An allocator of no units yet: see [`Self::grow`]. Cannot fail, so that an object of
    /// this size can be made where it is to stay.
    pub fn new(nodes: Nodes<N>) -> Self {
        Self {
            unused_nodes: nodes.first_unused(),
            nodes: nodes.table,
            stray: Node::EMPTY,
            classes: Classes::new(),
            bottom: NONE,
            top: NONE,
            units: 0,
            used: 0,
            used_peak: 0,
            regions: 0,
            driver_owned: 0,
            max_regions: nodes.max_regions,
            seed: nodes.seed,
            search: SearchState::Idle,
        }
    }

    /// Units to leave out at the front of a block so that the offset plus
    /// `phase` is a multiple of `align`, if the request fits then.
    #[inline(always)]
    fn fit(&self, index: u32, units: u32, align: u32, phase: u32) -> Option<u32> {
        if index == NONE {
            return None;
        }
        let node = self.node(index);
        // Modulo a power of two, so that wrapping around does no harm.
        let front = node.offset.wrapping_add(phase).wrapping_neg() & align.wrapping_sub(1);
        (front.checked_add(units)? <= node.units).then_some(front)
    }

    /// A free block for the request, and the units to leave out at its front. Three
    /// blocks at most are looked at.
    #[inline(always)]
    fn find(&self, units: u32, align: u32, phase: u32) -> Option<(u32, u32)> {
        // Any block of this class or above is large enough without an alignment, ...
        let from = |units| self.classes.first_from(Class::above(units)?);
        let ample = from(units);
        // ... and any block of this one with the alignment. ...
        let roomy = || from(units.checked_add(align.wrapping_sub(1))?);
        // ... The first block of this class may be, as the only one is if all of it is
        // requested.
        let tight = || Some(self.classes.first(Class::of(units)));

        let try_one = |index: Option<u32>| {
            let index = index?;
            Some((index, self.fit(index, units, align, phase)?))
        };
        try_one(ample)
            .or_else(|| try_one(if align > 1 { roomy() } else { None }))
            .or_else(|| try_one(tight()))
    }

    /// Allocates a region of `units` units for a process, at a multiple of `align` units.
    /// O(1), also if it fails.
    ///
    /// Errors: [`TlsfError::Empty`], [`TlsfError::BadAlign`], [`TlsfError::TooLarge`],
    /// [`TlsfError::NoBlock`], [`TlsfError::NoNode`].
    pub fn alloc(&mut self, units: u32, align: u32) -> Result<Block, TlsfError> {
        self.alloc_for(units, align, 0, BlockState::Used)
    }

    /// Allocates a region for a driver. Only [`Self::free_for_driver`] frees it: a process
    /// that shares the reserve with the driver cannot. The offset plus `phase` is a
    /// multiple of `align`. O(1), also if it fails. Errors as [`Self::alloc`].
    pub fn alloc_for_driver(
        &mut self,
        units: u32,
        align: u32,
        phase: u32,
    ) -> Result<Block, TlsfError> {
        self.alloc_for(units, align, phase, BlockState::DriverOwned)
    }

    #[inline(always)]
    fn alloc_for(
        &mut self,
        units: u32,
        align: u32,
        phase: u32,
        state: BlockState,
    ) -> Result<Block, TlsfError> {
        if units == 0 {
            return Err(TlsfError::Empty);
        }
        if !align.is_power_of_two() {
            return Err(TlsfError::BadAlign);
        }
        if units > self.units {
            return Err(TlsfError::TooLarge);
        }
        let (found, front) = self.find(units, align, phase).ok_or(TlsfError::NoBlock)?;
        self.claim(found, front, units, state)
    }

    /// Makes a region of a free block that is large enough, from `front` on. O(1).
    ///
    /// The rest of the block stays in its node, and in its list if its size class is
    /// still the same.
    #[inline(always)]
    fn claim(
        &mut self,
        found: u32,
        front: u32,
        units: u32,
        state: BlockState,
    ) -> Result<Block, TlsfError> {
        if self.regions == self.max_regions {
            return Err(TlsfError::NoNode);
        }
        let index = match front {
            0 => self.claim_front(found, units),
            _ => self.claim_behind(found, front, units)?,
        };
        Ok(self.hand_out(index, state))
    }

    /// Cuts `units` units off the front of a free block.
    #[inline(always)]
    fn claim_front(&mut self, found: u32, units: u32) -> u32 {
        if self.node(found).units > units {
            if let Some(lower) = self.split_below(found, units) {
                return lower;
            }
        }
        // Without a node, which `Nodes::count_for` rules out, the region is longer.
        self.remove_free(found);
        found
    }

    /// Cuts `units` units out of a free block, from `front` on.
    fn claim_behind(&mut self, found: u32, front: u32, units: u32) -> Result<u32, TlsfError> {
        let index = self.split_above(found, front).ok_or(TlsfError::NoNode)?;
        if self.node(index).units > units {
            if let Some(rest) = self.split_above(index, units) {
                self.insert_free(rest);
            }
        }
        Ok(index)
    }

    /// Makes a region of a block that is in no list, and returns it.
    #[inline(always)]
    fn hand_out(&mut self, index: u32, state: BlockState) -> Block {
        let node = self.node_mut(index);
        node.state = state;
        let block = Block {
            offset: node.offset,
            units: node.units,
            handle: (u64::from(node.generation) << 32) | (u64::from(index) + 1),
        };
        self.regions.raise(1);
        self.driver_owned
            .raise(u32::from(state == BlockState::DriverOwned));
        self.used.raise(block.units);
        self.used_peak = self.used_peak.max(self.used);
        block
    }

    /// The node that a handle names, if it is a region in this state.
    #[inline(always)]
    fn lookup(&self, handle: u64, state: BlockState) -> Result<u32, TlsfError> {
        let generation = (handle >> 32) as u32;
        let index = (handle as u32).wrapping_sub(1);
        let node = self.nodes.get(index as usize).ok_or(TlsfError::Foreign)?;
        if node.generation == generation && node.state == state {
            return Ok(index);
        }
        // The handles of this node with generations from `seed` to before the present
        // one were returned and freed.
        let age = |generation: u32| generation.wrapping_sub(self.seed) & GENERATIONS;
        if generation <= GENERATIONS && age(generation) < age(node.generation) {
            return Err(TlsfError::Stale);
        }
        Err(TlsfError::Foreign)
    }

    /// Frees a region of a driver and returns it. O(1).
    ///
    /// Errors: [`TlsfError::Stale`], [`TlsfError::Foreign`].
    pub fn free_for_driver(&mut self, handle: u64) -> Result<Block, TlsfError> {
        let index = self.lookup(handle, BlockState::DriverOwned)?;
        self.driver_owned.lower(1);
        Ok(self.release(index, handle))
    }

    /// Frees a region of a process and returns it. O(1).
    ///
    /// Errors: [`TlsfError::Stale`], [`TlsfError::Foreign`].
    pub fn free(&mut self, handle: u64) -> Result<Block, TlsfError> {
        let index = self.lookup(handle, BlockState::Used)?;
        Ok(self.release(index, handle))
    }

    /// Makes a region a free block, merged with its free neighbours.
    #[inline(always)]
    fn release(&mut self, index: u32, handle: u64) -> Block {
        let node = self.node_mut(index);
        node.generation = node.generation.wrapping_add(1) & GENERATIONS;
        let Node {
            offset,
            units,
            below,
            above,
            ..
        } = *node;
        self.regions.lower(1);
        self.used.lower(units);

        let high = self.node(above);
        let (high_is_free, high_units) = (high.state == BlockState::Free, high.units);
        let low = self.node(below);
        let free = if low.state == BlockState::Free {
            let (start, mut length) = (low.offset, low.units.plus(units));
            if high_is_free {
                self.remove_free(above);
                self.merge_into(below, above);
                length.raise(high_units);
            }
            self.merge_into(below, index);
            self.resize_block(below, start, length);
            below
        } else if high_is_free {
            self.merge_into(above, index);
            self.resize_block(above, offset, units.plus(high_units));
            above
        } else {
            self.insert_free(index);
            index
        };
        self.search_may_take(free);
        Block {
            offset,
            units,
            handle,
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
        self.regions
    }

    /// A number of units for which [`Self::alloc`] without an alignment finds a block
    /// now. O(1): it is the first block of the highest size class that has one, which
    /// need not be the largest of that class.
    pub fn largest_free(&self) -> u32 {
        match self.classes.highest() {
            Some(class) => self.node(self.classes.first(class)).units,
            None => 0,
        }
    }
}
