// SPDX-License-Identifier: GPL-2.0

//! A tlsf of units, of which regions are allocated and freed in constant time.
//!
//! Two-level segregated fit, after Masmano, Ripoll, Crespo and Real, "TLSF: a new
//! dynamic memory allocator for real-time systems", 2004; but what is known of
//! each block stands in a table of its own instead of in the memory that is
//! handed out, so no user can reach it and the memory need not be mapped.

use core::ops::DerefMut;

mod blocks;
mod check;
mod classes;
mod node;
mod placement;
mod resize;

pub use classes::class_ceiling;
use classes::{Class, Classes};
pub use node::Node;
use node::{BlockState, NONE};
use placement::SearchState;
pub use placement::{SearchRequest, Strategy};

/// Why a call was refused; nothing was changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsfError {
    /// No units were asked for.
    Empty,
    /// The alignment is no power of two.
    BadAlign,
    /// More than all units.
    TooLarge,
    /// No free block is large enough now.
    NoBlock,
    /// There are as many regions as there can be.
    NoNode,
    /// The handle was freed before.
    Stale,
    /// The handle was never given out here.
    Foreign,
    /// A region lies in what would be cut off, or a search is under way.
    Busy,
}

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its first unit.
    pub offset: u32,
    /// Its length.
    pub units: u32,
    /// Names it until it is freed; never 0, and bit 63 is never set.
    pub handle: u64,
}

/// Generations have 31 bits, so that bit 63 of a handle stays clear.
const GENERATIONS: u32 = 0x7fff_ffff;

/// The tlsf.
#[derive(Debug)]
pub struct Tlsf<N> {
    nodes: N,
    /// What a number names that is none.
    stray: Node,
    classes: Classes,
    /// The first node that stands for no block, chained by `next`.
    unused_nodes: u32,
    /// The block with the lowest offset.
    bottom: u32,
    /// The block with the highest offset.
    top: u32,
    units: u32,
    used: u32,
    used_peak: u32,
    regions: u32,
    /// Those of drivers among them.
    driver_owned: u32,
    max_regions: u32,
    /// The generation all nodes started with.
    seed: u32,
    search: SearchState,
}

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// Nodes that suffice for so many regions: between two regions, below the
    /// first and above the last one there is at most one free block.
    pub const fn nodes_for(max_regions: u32) -> usize {
        max_regions as usize * 2 + 1
    }

    /// A tlsf of `units` free units in the table `nodes`, which must have
    /// [`Self::nodes_for`] entries. Handles begin with the generation `seed`.
    /// O(nodes).
    pub fn new(nodes: N, units: u32, max_regions: u32, seed: u32) -> Result<Self, TlsfError> {
        let count = u32::try_from(nodes.len()).map_err(|_| TlsfError::TooLarge)?;
        if nodes.len() < Self::nodes_for(max_regions) || count == NONE {
            return Err(TlsfError::NoNode);
        }
        let mut tlsf = Self {
            nodes,
            stray: Node::EMPTY,
            classes: Classes::new(),
            unused_nodes: NONE,
            bottom: NONE,
            top: NONE,
            units: 0,
            used: 0,
            used_peak: 0,
            regions: 0,
            driver_owned: 0,
            max_regions,
            seed: seed & GENERATIONS,
            search: SearchState::Idle,
        };
        for index in (0..count).rev() {
            *tlsf.node_mut(index) = Node {
                generation: tlsf.seed,
                ..Node::EMPTY
            };
            tlsf.release_node(index);
        }
        tlsf.grow(units)?;
        Ok(tlsf)
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
        let front = node.offset.wrapping_add(phase).wrapping_neg() & (align - 1);
        (front.checked_add(units)? <= node.units).then_some(front)
    }

    /// A free block for the request, and what to leave out at its front. Three
    /// looks at most, whatever there is.
    #[inline(always)]
    fn find(&self, units: u32, align: u32, phase: u32) -> Option<(u32, u32)> {
        // Any block of this class or above is large enough ...
        let from = |units| self.classes.first_from(Class::above(units)?);
        let ample = from(units);
        // ... and of this one for any alignment; ...
        let roomy = || from(units.checked_add(align - 1)?);
        // ... this one may be, like the only block when all of it is asked for.
        let tight = || Some(self.classes.first(Class::of(units)));

        let try_one = |index: Option<u32>| {
            let index = index?;
            Some((index, self.fit(index, units, align, phase)?))
        };
        try_one(ample)
            .or_else(|| try_one(if align > 1 { roomy() } else { None }))
            .or_else(|| try_one(tight()))
    }

    /// Allocates `units` units at a multiple of `align`. A constant number of
    /// steps, also if it fails.
    pub fn alloc(&mut self, units: u32, align: u32) -> Result<Block, TlsfError> {
        self.alloc_for(units, align, 0, BlockState::Used)
    }

    /// Allocates a region for a driver, which only [`Self::free_for_driver`] frees: who shares
    /// the tlsf with the driver cannot. The offset plus `phase` is a multiple of
    /// `align`. A constant number of steps, also if it fails.
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

    /// Makes a region of a free block that is large enough, from `front` on. A
    /// constant number of steps.
    ///
    /// What is left of the block stays in its node, and in its place in the class if
    /// that is still the right one.
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
        // Without a node, which nodes_for rules out, the region is longer.
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

    /// Makes a region of a block that is in no class.
    #[inline(always)]
    fn hand_out(&mut self, index: u32, state: BlockState) -> Block {
        let node = self.node_mut(index);
        node.state = state;
        let block = Block {
            offset: node.offset,
            units: node.units,
            handle: (u64::from(node.generation) << 32) | (u64::from(index) + 1),
        };
        self.regions += 1;
        self.driver_owned += u32::from(state == BlockState::DriverOwned);
        self.used += block.units;
        self.used_peak = self.used_peak.max(self.used);
        block
    }

    /// The node a handle names, of a region in this state.
    #[inline(always)]
    fn lookup(&self, handle: u64, state: BlockState) -> Result<u32, TlsfError> {
        let generation = (handle >> 32) as u32;
        let index = (handle as u32).wrapping_sub(1);
        let node = self.nodes.get(index as usize).ok_or(TlsfError::Foreign)?;
        if node.generation == generation && node.state == state {
            return Ok(index);
        }
        // Of this node the generations from `seed` to before the present one
        // were given out and freed.
        let age = |generation: u32| generation.wrapping_sub(self.seed) & GENERATIONS;
        if generation <= GENERATIONS && age(generation) < age(node.generation) {
            return Err(TlsfError::Stale);
        }
        Err(TlsfError::Foreign)
    }

    /// Frees a region of a driver's. A constant number of steps.
    pub fn free_for_driver(&mut self, handle: u64) -> Result<Block, TlsfError> {
        let index = self.lookup(handle, BlockState::DriverOwned)?;
        self.driver_owned -= 1;
        Ok(self.release(index, handle))
    }

    /// Frees a region. A constant number of steps.
    pub fn free(&mut self, handle: u64) -> Result<Block, TlsfError> {
        let index = self.lookup(handle, BlockState::Used)?;
        Ok(self.release(index, handle))
    }

    /// Merges what was a region with its free neighbours.
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
        self.regions -= 1;
        self.used -= units;

        let high = self.node(above);
        let (high_is_free, high_units) = (high.state == BlockState::Free, high.units);
        let low = self.node(below);
        let free = if low.state == BlockState::Free {
            let (start, mut length) = (low.offset, low.units + units);
            if high_is_free {
                self.remove_free(above);
                self.merge_into(below, above);
                length += high_units;
            }
            self.merge_into(below, index);
            self.resize_block(below, start, length);
            below
        } else if high_is_free {
            self.merge_into(above, index);
            self.resize_block(above, offset, units + high_units);
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

    /// All units.
    pub fn units(&self) -> u32 {
        self.units
    }

    /// Units in regions.
    pub fn used_units(&self) -> u32 {
        self.used
    }

    /// The most units in regions since the last [`Self::reset_peak`].
    pub fn used_peak(&self) -> u32 {
        self.used_peak
    }

    /// Lets the peak start anew.
    pub fn reset_peak(&mut self) {
        self.used_peak = self.used;
    }

    /// Regions of drivers.
    pub fn driver_owned(&self) -> u32 {
        self.driver_owned
    }

    /// Regions there are.
    pub fn regions(&self) -> u32 {
        self.regions
    }

    /// An unaligned request of so many units succeeds now, as far as units go.
    /// O(1): the first block of the highest class, not the largest of it.
    pub fn largest_free(&self) -> u32 {
        match self.classes.highest() {
            Some(class) => self.node(self.classes.first(class)).units,
            None => 0,
        }
    }
}
