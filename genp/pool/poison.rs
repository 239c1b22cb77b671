// SPDX-License-Identifier: GPL-2.0

//! Frames with memory errors that are found on their way to or from an owner, or while they
//! are free: they leave the lists and the accounting.

use super::Pool;
use crate::genp::frames::list::FrameList;

impl Pool {
    /// Takes up to `count` frames that were promised, zeroed, at most one batch; none if
    /// there are none without errors left. As many steps more as frames with errors are
    /// found. Context: thread, may sleep.
    pub(super) fn take_frames(&self, count: u32, node: u32) -> FrameList {
        // Each turn after the first one has found some with errors.
        // loop-total: poisoned
        loop {
            let suspect = self.errors.pending();
            let taken = self.free_frames.take(count, node, suspect);
            if taken.poisoned > 0 {
                // call-total: poisoned
                self.retire(taken.poisoned);
            }
            if !taken.list.is_empty() || taken.poisoned == 0 {
                return taken.list;
            }
        }
    }

    /// Gives back the frames of a lease; returns how many of them are retired instead. Looks
    /// at all of them if it is `suspect`, or if any frame is. Otherwise O(1): the scrubber
    /// looks at them. Context: thread.
    pub(crate) fn give_frames(&self, mut list: FrameList, suspect: bool) -> u32 {
        let mut poisoned = 0;
        if suspect || self.errors.pending() {
            let taken = self.free_frames.sift(list);
            (list, poisoned) = (taken.list, taken.poisoned);
        }
        self.free_frames.give(list);
        poisoned
    }

    /// Takes frames out of the accounting that had errors when they were free. Context:
    /// thread.
    #[cold]
    #[inline(never)]
    fn retire(&self, frames: u32) {
        if frames > 0 {
            self.lending.with(|state| state.accounting.retire(frames));
            // Who waits for more than is left is refused.
            self.serve();
        }
    }

    /// Zeroes a few free frames; false if there are none. Context: the scrub thread.
    pub(crate) fn scrub(&self) -> bool {
        let scrubbed = self.free_frames.scrub();
        self.retire(scrubbed.unwrap_or(0));
        scrubbed.is_some()
    }

    /// Retires the clean frames that have errors, and blocks; the scrubber looks at the others.
    /// Calls `pause` between two pieces of the work. Linear in the clean frames and the blocks. Context: thread,
    /// may sleep.
    pub(crate) fn retire_clean(&self, pause: impl Fn()) {
        self.blocks
            .retire_poisoned(self.free_frames.frames(), &pause);
        for node in 0..self.free_frames.frames().nodes() {
            self.free_frames.sift_clean(node, |poisoned| {
                self.retire(poisoned);
                pause();
            });
        }
    }
}
