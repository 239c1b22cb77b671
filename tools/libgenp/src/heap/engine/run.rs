// SPDX-License-Identifier: MIT OR Apache-2.0

//! Allocates and frees blocks that lie one behind the other as one: the lists are changed once
//! for all of them.

use super::{Engine, BYTES, EXTENT};
use crate::heap::{
    lists::List,
    memory::{Checked, Memory, State, HEADER},
    size_class::GRAIN,
};

/// Blocks of one size, one behind the other. The first is live; the others are linked as those
/// of a stack are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::heap) struct Run {
    pub(in crate::heap) first: usize,
    /// Bytes from one block to the next.
    length: usize,
    pub(in crate::heap) count: usize,
}

impl Run {
    /// The block behind the first, in grains.
    pub(in crate::heap) fn second(self) -> u32 {
        grains(self.first + self.length)
    }

    /// Its blocks but the first.
    pub(in crate::heap) fn others(self) -> impl Iterator<Item = usize> {
        (1..self.count).map(move |number| self.first + number * self.length)
    }
}

/// Of a heap whose blocks can be cached.
fn grains(at: usize) -> u32 {
    (at / GRAIN) as u32
}

impl Engine {
    /// Allocates blocks for this many bytes each, which were rounded up, in one free block: as
    /// many as it has room for, and at most `most`, which is 1 at least. None if there is no
    /// room for one.
    pub(in crate::heap) fn alloc_run(
        &mut self,
        bytes: usize,
        most: usize,
        note: u32,
    ) -> Checked<Option<Run>> {
        let Some(list) = self.lists.from(List::of(bytes)) else {
            return Ok(None);
        };
        let first = self.lists.first(list);
        let (all, length) = (self.free_length(first)?, bytes + HEADER);
        let count = (all / length).min(most);
        self.remove(first, all)?;
        self.memory.write(first + EXTENT, 0)?;
        // What is too little for a block stays with the last one.
        let taken = self.keep(first, count * length, all)?;
        let run = Run {
            first,
            length,
            count,
        };
        let last = first + (count - 1) * length;
        for at in run.others() {
            self.memory.write(at + EXTENT, length as u64)?;
            self.memory
                .set_state(at, State::Cached, grains(at + length))?;
        }
        if count > 1 {
            self.memory.write(first + EXTENT, length as u64)?;
            self.memory
                .write(last + EXTENT, (first + taken - last) as u64)?;
        }
        self.memory.set_state(first, State::Live, note)?;
        self.use_bytes(0, taken);
        Ok(Some(run))
    }

    /// Frees blocks, of whatever state, until there is no next one. Neighbours that come one
    /// after the other are merged before they are put into a list.
    pub(in crate::heap) fn free_run(
        &mut self,
        mut next: impl FnMut(&Memory) -> Checked<Option<usize>>,
    ) -> Checked<()> {
        let Some(mut start) = next(&self.memory)? else {
            return Ok(());
        };
        let mut all = self.length(start)?;
        while let Some(at) = next(&self.memory)? {
            let length = self.length(at)?;
            let merged = match (at + length == start, start + all == at) {
                (true, _) => std::mem::replace(&mut start, at),
                (_, true) => at,
                _ => {
                    self.free_bytes(start, all)?;
                    (start, all) = (at, length);
                    continue;
                }
            };
            self.memory.set_state(merged, State::Merged, 0)?;
            all += length;
            debug_assert!(all as u64 <= BYTES);
        }
        self.free_bytes(start, all)
    }
}
