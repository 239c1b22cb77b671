// SPDX-License-Identifier: GPL-2.0

//! Everything that must hold between two calls. For tests.

use core::ops::DerefMut;

use super::{Class, Node, Range, State, NONE};

impl<N: DerefMut<Target = [Node]>> Range<N> {
    /// Checks everything that must hold. O(nodes), for tests.
    pub fn check(&self) -> Result<(), &'static str> {
        let (mut index, mut at, mut used, mut regions, mut free) = (self.top, self.units, 0, 0, 0);
        let mut held = 0;
        let mut above = NONE;
        for _ in 0..=self.nodes.len() {
            if index == NONE {
                break;
            }
            let node = self.node(index);
            if node.offset.checked_add(node.units) != Some(at) || node.units == 0 {
                return Err("blocks leave a gap or overlap");
            }
            if node.above != above {
                return Err("neighbours disagree");
            }
            match node.state {
                State::Used | State::Held => {
                    used += node.units;
                    regions += 1;
                    held += u32::from(node.state == State::Held);
                }
                State::Free => {
                    free += 1;
                    if above != NONE && self.node(above).state == State::Free {
                        return Err("free neighbours are not merged");
                    }
                    self.check_filed(index)?;
                }
                State::Spare => return Err("a spare node stands for a block"),
            }
            at = node.offset;
            above = index;
            index = node.below;
        }
        if index != NONE || at != 0 {
            return Err("the blocks do not reach down to 0");
        }
        if above != self.bottom {
            return Err("the lowest block is another one");
        }
        if (used, regions, held) != (self.used, self.regions, self.held) {
            return Err("the counts are off");
        }
        self.check_spares(regions + free)
    }

    fn check_filed(&self, index: u32) -> Result<(), &'static str> {
        let node = self.node(index);
        let filed = if node.prev == NONE {
            self.classes.first(Class::of(node.units)) == index
        } else {
            self.node(node.prev).next == index
        };
        match filed && (node.next == NONE || self.node(node.next).prev == index) {
            true => Ok(()),
            false => Err("a free block is not in its class"),
        }
    }

    fn check_spares(&self, blocks: u32) -> Result<(), &'static str> {
        let (mut index, mut spares) = (self.spare, 0u32);
        while index != NONE && (spares as usize) <= self.nodes.len() {
            if self.node(index).state != State::Spare {
                return Err("a spare node is in use");
            }
            spares += 1;
            index = self.node(index).next;
        }
        match (spares + blocks) as usize == self.nodes.len() {
            true => Ok(()),
            false => Err("nodes are lost"),
        }
    }
}
