// SPDX-License-Identifier: GPL-2.0

//! A range of units, of which regions are allocated and freed in constant time.
//!
//! Two-level segregated fit, after Masmano, Ripoll, Crespo and Real, "TLSF: a new
//! dynamic memory allocator for real-time systems", 2004; but what is known of
//! each block stands in a table of its own instead of in the memory that is
//! handed out, so no user can reach it and the memory need not be mapped.

use core::ops::DerefMut;

mod check;
mod classes;
mod node;
mod placement;
mod resize;

pub use classes::class_ceiling;
use classes::{Class, Classes};
pub use node::Node;
use node::{State, NONE};
use placement::Search;
pub use placement::{Place, Want};

/// Why a call was refused; nothing was changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
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

/// The range.
#[derive(Debug)]
pub struct Range<N> {
    nodes: N,
    classes: Classes,
    /// The first node that stands for no block, chained by `next`.
    spare: u32,
    /// The block with the lowest offset.
    bottom: u32,
    /// The block with the highest offset.
    top: u32,
    units: u32,
    used: u32,
    used_peak: u32,
    regions: u32,
    /// Those of drivers among them.
    held: u32,
    max_regions: u32,
    /// The generation all nodes started with.
    seed: u32,
    search: Search,
}

impl<N: DerefMut<Target = [Node]>> Range<N> {
    /// Nodes that suffice for so many regions: between two regions, below the
    /// first and above the last one there is at most one free block.
    pub const fn nodes_for(max_regions: u32) -> usize {
        max_regions as usize * 2 + 1
    }

    /// A range of `units` free units in the table `nodes`, which must have
    /// [`Self::nodes_for`] entries. Handles begin with the generation `seed`.
    /// O(nodes).
    pub fn new(nodes: N, units: u32, max_regions: u32, seed: u32) -> Result<Self, RangeError> {
        let count = u32::try_from(nodes.len()).map_err(|_| RangeError::TooLarge)?;
        if nodes.len() < Self::nodes_for(max_regions) || count == NONE {
            return Err(RangeError::NoNode);
        }
        let mut range = Self {
            nodes,
            classes: Classes::new(),
            spare: NONE,
            bottom: NONE,
            top: NONE,
            units: 0,
            used: 0,
            used_peak: 0,
            regions: 0,
            held: 0,
            max_regions,
            seed: seed & GENERATIONS,
            search: Search::None,
        };
        for index in (0..count).rev() {
            range.set(index, Node::EMPTY);
            range.node_mut(index).generation = range.seed;
            range.discard(index);
        }
        range.grow(units)?;
        Ok(range)
    }

    // The table is only indexed with numbers that came out of it; a number that
    // did not gets a node that belongs to nothing, so no damage can spread.

    fn node(&self, index: u32) -> Node {
        self.nodes
            .get(index as usize)
            .copied()
            .unwrap_or(Node::EMPTY)
    }

    fn node_mut(&mut self, index: u32) -> &mut Node {
        let last = self.nodes.len().saturating_sub(1);
        &mut self.nodes[(index as usize).min(last)]
    }

    fn set(&mut self, index: u32, node: Node) {
        if let Some(place) = self.nodes.get_mut(index as usize) {
            *place = node;
        }
    }

    /// Makes a node stand for no block.
    fn discard(&mut self, index: u32) {
        let spare = self.spare;
        let node = self.node_mut(index);
        node.state = State::Spare;
        node.next = spare;
        self.spare = index;
    }

    /// A node for a new block.
    fn spare(&mut self) -> Option<u32> {
        let index = self.spare;
        if index == NONE {
            return None;
        }
        self.spare = self.node(index).next;
        Some(index)
    }

    /// Puts a free block at the front of its class.
    fn file(&mut self, index: u32) {
        let class = Class::of(self.node(index).units);
        let first = self.classes.first(class);
        let node = self.node_mut(index);
        node.state = State::Free;
        node.prev = NONE;
        node.next = first;
        if first != NONE {
            self.node_mut(first).prev = index;
        }
        self.classes.set_first(class, index);
        self.search_sees_free(index);
    }

    /// Takes a free block out of its class.
    fn unfile(&mut self, index: u32) {
        let Node {
            units, prev, next, ..
        } = self.node(index);
        if next != NONE {
            self.node_mut(next).prev = prev;
        }
        if prev != NONE {
            self.node_mut(prev).next = next;
        } else {
            self.classes.set_first(Class::of(units), next);
        }
        self.search_loses(index);
    }

    /// Units to leave out at the front of a block so that the offset plus
    /// `phase` is a multiple of `align`, if the request fits then.
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

    /// Cuts the upper part of a block off, from `units` on, into a block of its
    /// own: whether there was a node for it.
    fn cut(&mut self, index: u32, units: u32) -> Option<u32> {
        let upper = self.spare()?;
        let node = self.node(index);
        let generation = self.node(upper).generation;
        self.set(
            upper,
            Node {
                offset: node.offset + units,
                units: node.units - units,
                below: index,
                above: node.above,
                generation,
                ..Node::EMPTY
            },
        );
        if node.above != NONE {
            self.node_mut(node.above).below = upper;
        } else {
            self.top = upper;
        }
        let lower = self.node_mut(index);
        lower.units = units;
        lower.above = upper;
        Some(upper)
    }

    /// Merges a block with the one above it. Neither is in a class.
    fn merge(&mut self, index: u32, upper: u32) {
        let gone = self.node(upper);
        let node = self.node_mut(index);
        node.units += gone.units;
        node.above = gone.above;
        if gone.above != NONE {
            self.node_mut(gone.above).below = index;
        } else {
            self.top = index;
        }
        self.search_merged(index, upper);
        self.discard(upper);
    }

    /// Allocates `units` units at a multiple of `align`. A constant number of
    /// steps, also if it fails.
    pub fn alloc(&mut self, units: u32, align: u32) -> Result<Block, RangeError> {
        self.alloc_phased(units, align, 0)
    }

    /// Allocates `units` units so that the offset plus `phase` is a multiple of
    /// `align`. A constant number of steps, also if it fails.
    pub fn alloc_phased(
        &mut self,
        units: u32,
        align: u32,
        phase: u32,
    ) -> Result<Block, RangeError> {
        if units == 0 {
            return Err(RangeError::Empty);
        }
        if !align.is_power_of_two() {
            return Err(RangeError::BadAlign);
        }
        if units > self.units {
            return Err(RangeError::TooLarge);
        }
        let (found, front) = self.find(units, align, phase).ok_or(RangeError::NoBlock)?;
        self.claim(found, front, units)
    }

    /// Makes a region of a free block that is large enough, from `front` on. A
    /// constant number of steps.
    fn claim(&mut self, found: u32, front: u32, units: u32) -> Result<Block, RangeError> {
        if self.regions == self.max_regions {
            return Err(RangeError::NoNode);
        }
        self.unfile(found);
        let mut index = found;
        if front > 0 {
            match self.cut(found, front) {
                Some(upper) => {
                    self.file(found);
                    index = upper;
                }
                None => {
                    self.file(found);
                    return Err(RangeError::NoNode);
                }
            }
        }
        if self.node(index).units > units {
            // Without a node, which nodes_for rules out, the region is longer.
            if let Some(rest) = self.cut(index, units) {
                self.file(rest);
            }
        }
        self.node_mut(index).state = State::Used;
        let node = self.node(index);
        self.regions += 1;
        self.used += node.units;
        self.used_peak = self.used_peak.max(self.used);
        Ok(Block {
            offset: node.offset,
            units: node.units,
            handle: (u64::from(node.generation) << 32) | (u64::from(index) + 1),
        })
    }

    /// The node a handle names, of a region in this state.
    fn lookup(&self, handle: u64, state: State) -> Result<u32, RangeError> {
        let generation = (handle >> 32) as u32;
        let index = (handle as u32).checked_sub(1).ok_or(RangeError::Foreign)?;
        let node = self.nodes.get(index as usize).ok_or(RangeError::Foreign)?;
        if node.generation == generation && node.state == state {
            return Ok(index);
        }
        // Of this node the generations from `seed` to before the present one
        // were given out and freed.
        let age = |generation: u32| generation.wrapping_sub(self.seed) & GENERATIONS;
        if generation <= GENERATIONS && age(generation) < age(node.generation) {
            return Err(RangeError::Stale);
        }
        Err(RangeError::Foreign)
    }

    /// Makes a region one of a driver's, which only [`Self::free_held`] frees: who
    /// shares the range with the driver cannot. O(1).
    pub fn hold(&mut self, handle: u64) -> Result<(), RangeError> {
        let index = self.lookup(handle, State::Used)?;
        self.node_mut(index).state = State::Held;
        self.held += 1;
        Ok(())
    }

    /// Frees a region of a driver's. A constant number of steps.
    pub fn free_held(&mut self, handle: u64) -> Result<Block, RangeError> {
        let index = self.lookup(handle, State::Held)?;
        self.held -= 1;
        Ok(self.release(index, handle))
    }

    /// Frees a region. A constant number of steps.
    pub fn free(&mut self, handle: u64) -> Result<Block, RangeError> {
        let index = self.lookup(handle, State::Used)?;
        Ok(self.release(index, handle))
    }

    fn release(&mut self, mut index: u32, handle: u64) -> Block {
        let node = self.node(index);
        self.node_mut(index).generation = node.generation.wrapping_add(1) & GENERATIONS;
        self.regions -= 1;
        self.used -= node.units;

        if node.above != NONE && self.node(node.above).state == State::Free {
            self.unfile(node.above);
            self.merge(index, node.above);
        }
        if node.below != NONE && self.node(node.below).state == State::Free {
            self.unfile(node.below);
            self.merge(node.below, index);
            index = node.below;
        }
        self.file(index);
        self.search_may_take(index);
        Block {
            offset: node.offset,
            units: node.units,
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
    pub fn held(&self) -> u32 {
        self.held
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
