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
            self.unfile(top);
            self.node_mut(top).units += more;
            self.file(top);
        } else {
            let index = self.spare().ok_or(RangeError::NoNode)?;
            let generation = self.node(index).generation;
            self.set(
                index,
                Node {
                    offset: self.units,
                    units: more,
                    below: top,
                    generation,
                    ..Node::EMPTY
                },
            );
            if top != NONE {
                self.node_mut(top).above = index;
            } else {
                self.bottom = index;
            }
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
        let node = self.node(top);
        if node.state != State::Free || node.units < less {
            return Err(RangeError::Busy);
        }
        self.unfile(top);
        if node.units == less {
            self.top = node.below;
            if node.below != NONE {
                self.node_mut(node.below).above = NONE;
            } else {
                self.bottom = NONE;
            }
            self.search_merged(node.below, top);
            self.discard(top);
        } else {
            self.node_mut(top).units -= less;
            self.file(top);
        }
        self.units = to;
        Ok(())
    }
}
