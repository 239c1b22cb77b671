// SPDX-License-Identifier: MIT OR Apache-2.0

//! Moves the end of the memory.

use super::{Engine, EXTENT, SMALLEST};
use crate::heap::memory::{Checked, State};

impl Engine {
    /// Makes the memory end at `end`, where a header has room: what is added is free. Nothing is
    /// done if that is too little for a block.
    pub(in crate::heap) fn extend(&mut self, end: usize) -> Checked<()> {
        let old = self.memory.end();
        if end < old + SMALLEST {
            return Ok(());
        }
        self.memory.set_end(end);
        self.memory.write(end + EXTENT, 0)?;
        self.memory.set_state(end, State::End, 0)?;
        // The header at the old end knows of the block before it. It becomes that of a block,
        // which is freed.
        self.set_length(old, end - old)?;
        self.used += end - old;
        self.free_bytes(old, end - old)
    }

    /// Makes the memory end at `end`, or up to a header and a half before it: false if what is cut
    /// off is not free.
    pub(in crate::heap) fn cut(&mut self, end: usize) -> Checked<bool> {
        let old = self.memory.end();
        let (last, length) = self.free_before(old)?;
        if length == 0 || last > end || end >= old {
            return Ok(end >= old);
        }
        self.remove(last, length)?;
        // What is too little for a block belongs to nobody.
        let kept = end - last;
        let end = if kept < SMALLEST { last } else { end };
        self.memory.write(end + EXTENT, 0)?;
        self.memory.set_state(end, State::End, 0)?;
        if kept >= SMALLEST {
            self.insert(last, kept)?;
        }
        self.memory.set_state(old, State::Merged, 0)?;
        self.memory.set_end(end);
        Ok(true)
    }
}
