// SPDX-License-Identifier: GPL-2.0

//! Allocating: finding a free block and cutting a region out of it.

use core::ops::DerefMut;

use super::{
    super::count::Count,
    blocks::{entry, insert_free, remove_free, resize_free, sum, take_node},
    classes::Class,
    end::END,
    node::BlockState,
    Block, Node, Tlsf, TlsfError,
};

/// How a request fits into a free block.
#[derive(Clone, Copy)]
pub(super) struct Fit {
    /// Units before the region.
    pub(super) front: u32,
    /// Units behind it.
    pub(super) rest: u32,
}

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// How a request fits into a block so that its offset plus `phase` is a multiple of
    /// `align`, if it does.
    #[inline(always)]
    pub(super) fn fit(&self, index: u32, units: u32, align: u32, phase: u32) -> Option<Fit> {
        let node = self.nodes.get(index as usize)?;
        // Modulo a power of two, so that wrapping around does no harm.
        let front = node.offset.wrapping_add(phase).wrapping_neg() & align.wrapping_sub(1);
        let rest = node.units.checked_sub(front.checked_add(units)?)?;
        Some(Fit { front, rest })
    }

    /// A free block for the request, and how it fits. One block is looked at.
    #[inline(always)]
    pub(super) fn find(&self, units: u32, align: u32, phase: u32) -> Option<(u32, Fit)> {
        // A block with so many more units is large enough, at whatever offset. ...
        let mut found = match units.checked_add(align.wrapping_sub(1)) {
            Some(most) => self.classes.first_from(Class::above(most)),
            None => END,
        };
        // ... One with as many is without an alignment, and may be with it. ...
        if found == END && align > 1 {
            found = self.classes.first_from(Class::above(units));
        }
        // ... The first block of this class may be, as the only one is if all of it is
        // requested.
        if found == END {
            found = self.classes.first(Class::of(units));
        }
        Some((found, self.fit(found, units, align, phase)?))
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
    #[inline(always)]
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
        if units > self.units {
            return Err(TlsfError::TooLarge);
        }
        if align != 1 {
            return self.alloc_aligned(units, align, phase, state);
        }
        match self.find(units, 1, 0) {
            // Said once more, so that the compiler leaves out what is for a front.
            Some((found, fit)) => self.claim(found, Fit { front: 0, ..fit }, units, state),
            None => Err(TlsfError::NoBlock),
        }
    }

    /// Not inlined, so that it does not compete for the registers of what is asked for most.
    #[inline(never)]
    fn alloc_aligned(
        &mut self,
        units: u32,
        align: u32,
        phase: u32,
        state: BlockState,
    ) -> Result<Block, TlsfError> {
        if !align.is_power_of_two() {
            return Err(TlsfError::BadAlign);
        }
        match self.find(units, align, phase) {
            Some((found, fit)) => self.claim(found, fit, units, state),
            None => Err(TlsfError::NoBlock),
        }
    }

    /// Makes a region of a free block in which it fits like this. O(1).
    #[inline(always)]
    pub(super) fn claim(
        &mut self,
        found: u32,
        fit: Fit,
        units: u32,
        state: BlockState,
    ) -> Result<Block, TlsfError> {
        if self.vacant == 0 {
            return Err(TlsfError::NoNode);
        }
        let block = self.cut(found, fit, units, state);
        block.ok_or(TlsfError::NoNode)
    }

    /// Cuts a region out of a free block. What is left behind it stays in its node, and in
    /// its list if its size class is still the same. `None` if no node is left, which
    /// `Nodes::count_for` rules out.
    #[inline(always)]
    fn cut(&mut self, found: u32, fit: Fit, units: u32, state: BlockState) -> Option<Block> {
        let (nodes, classes) = (&mut *self.nodes, &mut self.classes);
        let Node { offset, below, .. } = *entry(nodes, found)?;
        let (mut start, mut under, mut lower) = (offset, below, END);
        // Before anything is changed.
        let mut index = found;
        if fit.rest > 0 {
            index = take_node(nodes, &mut self.unused_nodes)?;
        }
        if fit.front > 0 {
            lower = take_node(nodes, &mut self.unused_nodes)?;
            let node = entry(nodes, lower)?;
            (node.offset, node.units) = (offset, fit.front);
            (node.below, node.above) = (below, found);
            insert_free(classes, nodes, lower, Class::of(fit.front))?;
            entry(nodes, below)?.above = lower;
            (start, under) = (sum(offset, fit.front)?, lower);
        }
        if fit.rest > 0 {
            let node = entry(nodes, index)?;
            node.above = found;
            let node = entry(nodes, found)?;
            node.offset = sum(start, units)?;
            node.below = index;
            resize_free(classes, nodes, found, fit.rest)?;
            entry(nodes, under)?.above = index;
        } else {
            remove_free(classes, nodes, found)?;
        }
        let node = entry(nodes, index)?;
        (node.offset, node.units) = (start, units);
        node.below = under;
        node.state = state;
        let generation = node.generation;
        self.search_after_claim(found, lower);
        Some(self.hand_out(index, generation, start, units, state))
    }

    /// Counts a new region, and returns it.
    #[inline(always)]
    fn hand_out(
        &mut self,
        index: u32,
        generation: u32,
        offset: u32,
        units: u32,
        state: BlockState,
    ) -> Block {
        // Not 0, as `claim` has seen, so that there are not as many regions as can be counted.
        self.vacant = self.vacant.wrapping_sub(1);
        let driver_owned = u32::from(state == BlockState::DriverOwned);
        self.driver_owned = self.driver_owned.wrapping_add(driver_owned);
        self.allocs = self.allocs.wrapping_add(1);
        self.used.raise(units);
        self.used_peak = self.used_peak.max(self.used);
        Block {
            offset,
            units,
            handle: (u64::from(generation) << 32) | u64::from(index),
        }
    }
}
