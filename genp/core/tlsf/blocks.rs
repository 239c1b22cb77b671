// SPDX-License-Identifier: GPL-2.0

//! The table of blocks: nodes, their neighbours, their lists of free blocks. Each
//! function takes a constant number of steps.

use core::ops::DerefMut;

use super::{super::count::Count, classes::Class, node::BlockState, Node, Tlsf, NONE};

// The table is only indexed with numbers that came out of it. Any other number gets the
// stray node, which belongs to no block, so that no damage can spread.

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    #[inline(always)]
    pub(super) fn node(&self, index: u32) -> &Node {
        self.nodes.get(index as usize).unwrap_or(&self.stray)
    }

    #[inline(always)]
    pub(super) fn node_mut(&mut self, index: u32) -> &mut Node {
        if (index as usize) < self.nodes.len() {
            return &mut self.nodes[index as usize];
        }
        self.stray = Node::EMPTY;
        &mut self.stray
    }

    /// Makes a node an unused one.
    #[inline(always)]
    pub(super) fn release_node(&mut self, index: u32) {
        let unused = self.unused_nodes;
        let node = self.node_mut(index);
        node.state = BlockState::Unused;
        node.next = unused;
        self.unused_nodes = index;
    }

    /// An unused node for a new block.
    #[inline(always)]
    pub(super) fn take_node(&mut self) -> Option<u32> {
        let index = self.unused_nodes;
        if index == NONE {
            return None;
        }
        self.unused_nodes = self.node(index).next;
        Some(index)
    }

    /// Makes a block a free one, first in the list of its size class.
    pub(super) fn insert_free(&mut self, index: u32) {
        let class = Class::of(self.node(index).units);
        let first = self.classes.first(class);
        let node = self.node_mut(index);
        node.state = BlockState::Free;
        node.prev = NONE;
        node.next = first;
        if first != NONE {
            self.node_mut(first).prev = index;
        }
        self.classes.set_first(class, index);
        self.search_sees_free(index);
    }

    /// Takes a free block out of the list of its size class.
    pub(super) fn remove_free(&mut self, index: u32) {
        let Node {
            units, prev, next, ..
        } = *self.node(index);
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

    /// Gives a free block another offset and size. In the same size class it stays where
    /// it is in the list.
    #[inline(always)]
    pub(super) fn resize_block(&mut self, index: u32, offset: u32, units: u32) {
        let same = Class::of(self.node(index).units) == Class::of(units);
        if same {
            self.search_loses(index);
        } else {
            self.remove_free(index);
        }
        let node = self.node_mut(index);
        node.offset = offset;
        node.units = units;
        if same {
            self.search_sees_free(index);
        } else {
            self.insert_free(index);
        }
    }

    /// Sets which block is above `index`, or the lowest block if that is `NONE`.
    #[inline(always)]
    pub(super) fn set_above(&mut self, index: u32, above: u32) {
        if index == NONE {
            self.bottom = above;
        } else {
            self.node_mut(index).above = above;
        }
    }

    /// Sets which block is below `index`, or the highest block if that is `NONE`.
    #[inline(always)]
    pub(super) fn set_below(&mut self, index: u32, below: u32) {
        if index == NONE {
            self.top = below;
        } else {
            self.node_mut(index).below = below;
        }
    }

    /// Makes a block of the first `units` units of a longer free one, in a node of its
    /// own; `None` if no node is left. The new block is in no list.
    #[inline(always)]
    pub(super) fn split_below(&mut self, index: u32, units: u32) -> Option<u32> {
        let lower = self.take_node()?;
        let Node {
            offset,
            units: all,
            below,
            ..
        } = *self.node(index);
        let node = self.node_mut(lower);
        node.offset = offset;
        node.units = units;
        node.below = below;
        node.above = index;
        self.set_above(below, lower);
        self.node_mut(index).below = lower;
        self.resize_block(index, offset.plus(units), all.minus(units));
        Some(lower)
    }

    /// Makes a block of what follows the first `units` units of a longer one, in a node
    /// of its own; `None` if no node is left. The new block is in no list.
    pub(super) fn split_above(&mut self, index: u32, units: u32) -> Option<u32> {
        let upper = self.take_node()?;
        let Node {
            offset,
            units: all,
            above,
            state,
            ..
        } = *self.node(index);
        let node = self.node_mut(upper);
        node.offset = offset.plus(units);
        node.units = all.minus(units);
        node.below = index;
        node.above = above;
        self.set_below(above, upper);
        self.node_mut(index).above = upper;
        if state == BlockState::Free {
            self.resize_block(index, offset, units);
        } else {
            self.node_mut(index).units = units;
        }
        Some(upper)
    }

    /// Releases the node of `gone`, which is in no list. Its units go to its neighbour
    /// `into`, whose offset and size the caller sets.
    #[inline(always)]
    pub(super) fn merge_into(&mut self, into: u32, gone: u32) {
        let Node { below, above, .. } = *self.node(gone);
        self.set_above(below, above);
        self.set_below(above, below);
        self.search_merged(into, gone);
        self.release_node(gone);
    }
}
