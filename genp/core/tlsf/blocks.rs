// SPDX-License-Identifier: GPL-2.0

//! The table of blocks: nodes, their neighbours, their lists of free blocks. Each
//! function takes a constant number of steps.

use core::ops::DerefMut;

use super::{
    super::count::must_hold,
    classes::{Class, Classes},
    end::END,
    node::BlockState,
    Node, Tlsf,
};

/// A node for writing. The table is only indexed with numbers that came out of it; any
/// other number, of a table that is damaged, is refused.
#[inline(always)]
pub(super) fn entry(nodes: &mut [Node], index: u32) -> Option<&mut Node> {
    must_hold((index as usize) < nodes.len());
    nodes.get_mut(index as usize)
}

/// Makes a node an unused one.
#[inline(always)]
pub(super) fn release_node(nodes: &mut [Node], unused: &mut u32, index: u32) -> Option<()> {
    let node = entry(nodes, index)?;
    node.state = BlockState::Unused;
    node.next = *unused;
    *unused = index;
    Some(())
}

/// An unused node for a new block.
#[inline(always)]
pub(super) fn take_node(nodes: &mut [Node], unused: &mut u32) -> Option<u32> {
    let index = *unused;
    if index == END {
        return None;
    }
    *unused = entry(nodes, index)?.next;
    Some(index)
}

/// A sum of units, which cannot be more than a reserve has unless the table is damaged.
#[inline(always)]
pub(super) fn sum(one: u32, other: u32) -> Option<u32> {
    let sum = one.checked_add(other);
    must_hold(sum.is_some());
    sum
}

/// Makes a block of this class a free one, first in the list.
#[inline(always)]
pub(super) fn insert_free(
    classes: &mut Classes,
    nodes: &mut [Node],
    index: u32,
    class: Class,
) -> Option<()> {
    let first = classes.first(class);
    let node = entry(nodes, index)?;
    node.state = BlockState::Free;
    node.class = class;
    node.prev = END;
    node.next = first;
    if first == END {
        classes.open(class, index);
    } else {
        classes.replace_first(class, index);
        entry(nodes, first)?.prev = index;
    }
    Some(())
}

/// Takes a free block out of the list of its size class.
#[inline(always)]
pub(super) fn remove_free(classes: &mut Classes, nodes: &mut [Node], index: u32) -> Option<()> {
    let Node {
        prev, next, class, ..
    } = *entry(nodes, index)?;
    if prev != END {
        entry(nodes, prev)?.next = next;
        entry(nodes, next)?.prev = prev;
    } else if next != END {
        classes.replace_first(class, next);
        entry(nodes, next)?.prev = END;
    } else {
        classes.close(class);
    }
    Some(())
}

/// Gives a free block another size. In the same size class it stays where it is in the
/// list.
#[inline(always)]
pub(super) fn resize_free(
    classes: &mut Classes,
    nodes: &mut [Node],
    index: u32,
    units: u32,
) -> Option<()> {
    let class = Class::of(units);
    let node = entry(nodes, index)?;
    node.units = units;
    if node.class != class {
        remove_free(classes, nodes, index)?;
        insert_free(classes, nodes, index, class)?;
    }
    Some(())
}

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// What a node says. Out of range is a node of no block.
    #[inline(always)]
    pub(super) fn node(&self, index: u32) -> Node {
        self.nodes
            .get(index as usize)
            .copied()
            .unwrap_or(Node::EMPTY)
    }

    /// The block with the lowest offset.
    pub(super) fn bottom(&self) -> u32 {
        self.node(END).above
    }

    /// The block with the highest offset.
    pub(super) fn top(&self) -> u32 {
        self.node(END).below
    }
}
