// SPDX-License-Identifier: GPL-2.0

//! Growing and shrinking a reserve.

use core::ops::DerefMut;

use super::{
    super::count::Count,
    blocks::{entry, insert_free, release_node, remove_free, resize_free, sum, take_node},
    classes::Class,
    BlockState, Node, Tlsf, TlsfError, END,
};

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
        self.add_on_top(more).ok_or(TlsfError::NoNode)?;
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
        let top = self.node(self.top());
        if top.state != BlockState::Free || top.units < less {
            return Err(TlsfError::Busy);
        }
        self.cut_off(less).ok_or(TlsfError::NoNode)?;
        self.units = to;
        Ok(())
    }

    /// Adds `more` free units above the highest block.
    fn add_on_top(&mut self, more: u32) -> Option<()> {
        let (top, units) = (self.top(), self.units);
        let (nodes, classes) = (&mut *self.nodes, &mut self.classes);
        let node = entry(nodes, top)?;
        let mut changed = top;
        if node.state == BlockState::Free {
            let units = sum(node.units, more)?;
            resize_free(classes, nodes, top, units)?;
        } else {
            changed = take_node(nodes, &mut self.unused_nodes)?;
            entry(nodes, top)?.above = changed;
            let node = entry(nodes, changed)?;
            (node.offset, node.units) = (units, more);
            (node.below, node.above) = (top, END);
            insert_free(classes, nodes, changed, Class::of(more))?;
            entry(nodes, END)?.below = changed;
        }
        self.search_after_resize(changed);
        Some(())
    }

    /// Cuts units off the highest block, which is free and has as many.
    fn cut_off(&mut self, less: u32) -> Option<()> {
        let top = self.top();
        let (nodes, classes) = (&mut *self.nodes, &mut self.classes);
        let Node { units, below, .. } = *entry(nodes, top)?;
        if units == less {
            remove_free(classes, nodes, top)?;
            release_node(nodes, &mut self.unused_nodes, top)?;
            entry(nodes, below)?.above = END;
            entry(nodes, END)?.below = below;
            self.search_after_cut(top);
        } else {
            resize_free(classes, nodes, top, units.minus(less))?;
            self.search_after_resize(top);
        }
        Some(())
    }
}
