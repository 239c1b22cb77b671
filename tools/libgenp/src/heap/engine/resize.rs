// SPDX-License-Identifier: MIT OR Apache-2.0

//! Makes blocks smaller and larger.

use super::{Engine, ALIGN, BYTES, EXTENT};
use crate::heap::memory::{Checked, State, HEADER};

impl Engine {
    /// Gives a block this many bytes where it is; false if there is no room behind it.
    /// Making it smaller never fails.
    pub(in crate::heap) fn resize(&mut self, at: usize, bytes: usize) -> Checked<bool> {
        let old = self.length(at)?;
        let (after, more) = self.free_after(at, old)?;
        let wanted = bytes + HEADER;
        if wanted > old + more {
            return Ok(false);
        }
        if more > 0 {
            self.remove(after, more)?;
            self.memory.set_state(after, State::Merged, 0)?;
        }
        let align = self.memory.read(at + EXTENT)? >> ALIGN << ALIGN;
        let new = self.keep(at, wanted, old + more)?;
        let extent = self.memory.read(at + EXTENT)?;
        self.memory.write(at + EXTENT, extent | align)?;
        self.use_bytes(old, new);
        Ok(true)
    }

    /// Makes one block of a block and the free ones before and behind it, if that has at
    /// least `bytes`: returns where it begins, live. What the user wrote is where it was.
    pub(in crate::heap) fn unite(&mut self, at: usize, bytes: usize) -> Checked<Option<usize>> {
        let old = self.length(at)?;
        let (after, more) = self.free_after(at, old)?;
        let (before, less) = self.free_before(at)?;
        let all = less + old + more;
        if less == 0 || bytes + HEADER > all {
            return Ok(None);
        }
        if more > 0 {
            self.remove(after, more)?;
            self.memory.set_state(after, State::Merged, 0)?;
        }
        self.remove(before, less)?;
        self.memory.set_state(at, State::Merged, 0)?;
        let note = u32::try_from(all - HEADER).unwrap_or(u32::MAX);
        self.memory.set_state(before, State::Live, note)?;
        self.set_length(before, all)?;
        self.set_flags(before + all, 0)?;
        self.use_bytes(0, less + more);
        debug_assert!(all as u64 <= BYTES);
        Ok(Some(before))
    }
}
