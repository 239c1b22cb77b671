// SPDX-License-Identifier: GPL-2.0

//! More or fewer units.

use core::ops::DerefMut;

use super::{Node, Range, RangeError, State, NONE};

impl<N: DerefMut<Target = [Node]>> Range<N> {
    /// Adds free units at the end, up to `to` in all.
    pub fn grow(&mut self, to: u32) -> Result<(), RangeError> {
        if to == u32::MAX {
            return Err(RangeError::TooLarge);
        }
        let more = to.checked_sub(self.units).ok_or(RangeError::TooLarge)?;
        if more == 0 {
            return Ok(());
        }
        let top = self.top;
        if top != NONE && self.node(top).state == State::Free {
            let Node { offset, units, .. } = *self.node(top);
            self.reshape(top, offset, units + more);
        } else {
            let index = self.spare().ok_or(RangeError::NoNode)?;
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
            self.file(index);
        }
        self.units = to;
        Ok(())
    }

    /// Cuts free units off at the end, down to `to`.
    pub fn shrink(&mut self, to: u32) -> Result<(), RangeError> {
        let less = self.units.checked_sub(to).ok_or(RangeError::TooLarge)?;
        if less == 0 {
            return Ok(());
        }
        let top = self.top;
        let node = *self.node(top);
        if node.state != State::Free || node.units < less {
            return Err(RangeError::Busy);
        }
        if node.units == less {
            self.unfile(top);
            self.absorb(node.below, top);
        } else {
            self.reshape(top, node.offset, node.units - less);
        }
        self.units = to;
        Ok(())
    }
}
