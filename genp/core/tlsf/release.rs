// SPDX-License-Identifier: GPL-2.0

//! Freeing: a region becomes part of the free blocks beside it.

use core::ops::DerefMut;

use super::{
    super::count::Count,
    blocks::{entry, insert_free, release_node, remove_free, resize_free, sum},
    classes::Class,
    end::END,
    node::BlockState,
    nodes::GENERATIONS,
    Block, Node, Tlsf, TlsfError,
};

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// The node that a handle names, if it is a region in this state.
    #[inline(always)]
    fn lookup(&self, handle: u64, state: BlockState) -> Result<u32, TlsfError> {
        let generation = (handle >> 32) as u32;
        // CAST: the other half.
        let index = handle as u32;
        let node = self.nodes.get(index as usize).ok_or(TlsfError::Foreign)?;
        if node.generation == generation && node.state == state {
            return Ok(index);
        }
        Err(self.why_unknown(generation, node.generation))
    }

    /// Why a handle of this generation names no region, where its node has another one.
    #[cold]
    fn why_unknown(&self, generation: u32, present: u32) -> TlsfError {
        // The handles of this node with generations from `seed` to before the present
        // one were returned and freed.
        let age = |generation: u32| generation.wrapping_sub(self.seed) & GENERATIONS;
        if generation <= GENERATIONS && age(generation) < age(present) {
            return TlsfError::Stale;
        }
        TlsfError::Foreign
    }

    /// Frees a region of a driver and returns it. O(1).
    ///
    /// Errors: [`TlsfError::Stale`], [`TlsfError::Foreign`].
    #[inline(always)]
    pub fn free_for_driver(&mut self, handle: u64) -> Result<Block, TlsfError> {
        let index = self.lookup(handle, BlockState::DriverOwned)?;
        let freed = self.release(index, handle);
        self.driver_owned = self.driver_owned.wrapping_sub(1);
        freed.ok_or(TlsfError::Foreign)
    }

    /// Frees a region of a process and returns it. O(1).
    ///
    /// Errors: [`TlsfError::Stale`], [`TlsfError::Foreign`].
    pub fn free(&mut self, handle: u64) -> Result<Block, TlsfError> {
        let index = self.lookup(handle, BlockState::Used)?;
        self.release(index, handle).ok_or(TlsfError::Foreign)
    }

    /// Makes a region a free block, merged with its free neighbours.
    #[inline(always)]
    fn release(&mut self, index: u32, handle: u64) -> Option<Block> {
        let (nodes, classes) = (&mut *self.nodes, &mut self.classes);
        let node = entry(nodes, index)?;
        node.generation = node.generation.wrapping_add(1) & GENERATIONS;
        let freed = *node;

        let high_is_free = entry(nodes, freed.above)?.state == BlockState::Free;
        let low_is_free = entry(nodes, freed.below)?.state == BlockState::Free;
        let (mut free, mut gone, mut gone_above) = (index, END, END);
        if low_is_free {
            free = freed.below;
            let (mut units, mut above) = (freed.units, freed.above);
            if high_is_free {
                let high = *entry(nodes, above)?;
                remove_free(classes, nodes, above)?;
                release_node(nodes, &mut self.unused_nodes, above)?;
                gone_above = above;
                units = sum(units, high.units)?;
                above = high.above;
            }
            release_node(nodes, &mut self.unused_nodes, index)?;
            gone = index;
            let low = entry(nodes, free)?;
            low.above = above;
            units = sum(units, low.units)?;
            entry(nodes, above)?.below = free;
            resize_free(classes, nodes, free, units)?;
        } else if high_is_free {
            free = freed.above;
            release_node(nodes, &mut self.unused_nodes, index)?;
            gone = index;
            let high = entry(nodes, free)?;
            high.offset = freed.offset;
            high.below = freed.below;
            let units = sum(freed.units, high.units)?;
            entry(nodes, freed.below)?.above = free;
            resize_free(classes, nodes, free, units)?;
        } else {
            insert_free(classes, nodes, index, Class::of(freed.units))?;
        }
        // It was counted when it was allocated.
        self.vacant = self.vacant.wrapping_add(1);
        self.used.lower(freed.units);
        self.search_after_free(free, gone, gone_above);
        let Node { offset, units, .. } = freed;
        Some(Block {
            offset,
            units,
            handle,
        })
    }
}
