// SPDX-License-Identifier: GPL-2.0

//! The table of nodes before there are blocks.

use core::ops::DerefMut;

use super::{end::END, Node, TlsfError};

/// Generations have 31 bits, so that bit 63 of a handle stays clear.
pub(super) const GENERATIONS: u32 = 0x7fff_ffff;

/// Unused nodes for a number of regions.
#[derive(Debug)]
pub struct Nodes<N> {
    pub(super) table: N,
    pub(super) max_regions: u32,
    pub(super) seed: u32,
}

impl<N: DerefMut<Target = [Node]>> Nodes<N> {
    /// The number of nodes that suffice for `max_regions` regions: between two regions,
    /// below the first and above the last one there is at most one free block; and one
    /// node stands for both ends.
    pub const fn count_for(max_regions: u32) -> usize {
        max_regions as usize * 2 + 2
    }

    /// Prepares `table`, which must have [`Self::count_for`] entries. Handles begin with the
    /// generation `seed`, so that handles of one allocator are mostly unknown to another.
    /// O(nodes).
    ///
    /// Errors: [`TlsfError::NoNode`] if the table is too small, [`TlsfError::TooLarge`] for
    /// more than 2^32 - 1 nodes.
    pub fn new(mut table: N, max_regions: u32, seed: u32) -> Result<Self, TlsfError> {
        let count = u32::try_from(table.len()).map_err(|_| TlsfError::TooLarge)?;
        if table.len() < Self::count_for(max_regions) {
            return Err(TlsfError::NoNode);
        }
        let seed = seed & GENERATIONS;
        // The first one is `END` and in no chain.
        let followers = [END].into_iter().chain(2..count).chain([END]);
        for (node, next) in table.iter_mut().zip(followers) {
            *node = Node {
                generation: seed,
                next,
                ..Node::EMPTY
            };
        }
        Ok(Self {
            table,
            max_regions,
            seed,
        })
    }

    /// The first of the chain.
    pub(super) fn first_unused(&self) -> u32 {
        match self.table.len() {
            0 | 1 => END,
            _ => 1,
        }
    }
}
