// SPDX-License-Identifier: GPL-2.0

//! The invariants, for tests.

use core::ops::DerefMut;

use super::{classes::Class, BlockState, Node, Tlsf, END};

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// Checks what must hold between two calls. The error says what does not. O(nodes),
    /// for tests.
    pub fn check(&self) -> Result<(), &'static str> {
        let (mut index, mut at, mut used, mut regions, mut free) =
            (self.top(), self.units, 0, 0, 0);
        let mut held = 0;
        let mut above = END;
        if matches!(self.node(END).state, BlockState::Free | BlockState::Used) {
            return Err("the end is a block");
        }
        for _ in 0..=self.nodes.len() {
            if index == END {
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
                BlockState::Used | BlockState::DriverOwned => {
                    used += node.units;
                    regions += 1;
                    held += u32::from(node.state == BlockState::DriverOwned);
                }
                BlockState::Free => {
                    free += 1;
                    if above != END && self.node(above).state == BlockState::Free {
                        return Err("free neighbours are not merged");
                    }
                    self.check_class_list(index)?;
                }
                BlockState::Unused => return Err("an unused node stands for a block"),
            }
            at = node.offset;
            above = index;
            index = node.below;
        }
        if index != END || at != 0 {
            return Err("the blocks do not reach down to 0");
        }
        if above != self.bottom() {
            return Err("the lowest block is another one");
        }
        if (used, regions, held) != (self.used, self.regions(), self.driver_owned) {
            return Err("the counts are off");
        }
        self.check_unused_nodes(regions + free)
    }

    fn check_class_list(&self, index: u32) -> Result<(), &'static str> {
        let node = self.node(index);
        let linked = if node.prev == END {
            self.classes.first(node.class) == index
        } else {
            self.node(node.prev).next == index
        };
        if node.class != Class::of(node.units) {
            return Err("a free block is in a wrong class");
        }
        match linked && (node.next == END || self.node(node.next).prev == index) {
            true => Ok(()),
            false => Err("a free block is not in its class"),
        }
    }

    fn check_unused_nodes(&self, blocks: u32) -> Result<(), &'static str> {
        let (mut index, mut unused) = (self.unused_nodes, 0u32);
        while index != END && (unused as usize) <= self.nodes.len() {
            if self.node(index).state != BlockState::Unused {
                return Err("a node in the list of unused ones is in use");
            }
            unused += 1;
            index = self.node(index).next;
        }
        match (unused + blocks + 1) as usize == self.nodes.len() {
            true => Ok(()),
            false => Err("nodes are lost"),
        }
    }
}
