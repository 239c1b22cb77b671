// SPDX-License-Identifier: GPL-2.0

//! Growing and shrinking a reserve.

use core::ops::DerefMut;

use super::{super::count::Count, BlockState, Node, Tlsf, TlsfError, NONE};

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// Adds free units at the end: `to` units in all. O(1).
    ///
    /// Errors: [`TlsfError::TooLarge`] if there are more already, or for 2^32 - 1;
    /// [`TlsfError::NoNode`], which [`super::Nodes::count_for`] rules out.
    pub fn grow(&mut self, to: u32) -> Result<(), TlsfError> {
        if to == u32::MAX {
            return Err(TlsfError::TooLarge);
        }
        let more = to.checked_sub(self.units).ok_or(TlsfError::TooLarge)?;
        if more == 0 {
            return Ok(());
        }
        let top = self.top;
        if top != NONE && self.node(top).state == BlockState::Free {
            let Node { offset, units, .. } = *self.node(top);
            self.resize_block(top, offset, units.plus(more));
        } else {
            let index = self.take_node().ok_or(TlsfError::NoNode)?;
            let generation = self.node(index).generation;
            *self.node_mut(index) = Node {
                offset: self.units,
                units: more,
                below: top,
                generation,
                ..Node::EMPTY
            };
            self.set_above(top, index);
            self.top = index;
            self.insert_free(index);
        }
        self.units = to;
        Ok(())
    }

    /// Removes free units at the end: `to` units in all. O(1).
    ///
    /// Errors: [`TlsfError::TooLarge`] if there are fewer already,
    /// [`TlsfError::Busy`] if a region lies in what would be removed.
    pub fn shrink(&mut self, to: u32) -> Result<(), TlsfError> {
        let less = self.units.checked_sub(to).ok_or(TlsfError::TooLarge)?;
        if less == 0 {
            return Ok(());
        }
        let top = self.top;
        let node = *self.node(top);
        if node.state != BlockState::Free || node.units < less {
            return Err(TlsfError::Busy);
        }
        if node.units == less {
            self.remove_free(top);
            self.merge_into(node.below, top);
        } else {
            self.resize_block(top, node.offset, node.units.minus(less));
        }
        self.units = to;
        Ok(())
    }
}
