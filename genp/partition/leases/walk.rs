// SPDX-License-Identifier: GPL-2.0

//! Going through the frames of a lease in pieces, each under the lock of the window: who
//! waits for that lock, to end a lease, waits for one piece at most. Who goes through them
//! may be a tracer, or another process that maps the window: no borrower can prevent it.

use super::slices::{Slice, Slices};
use crate::genp::{
    core::{count::Count, recall_bound::PIECE},
    frames::{free::FreeFrames, list::Iter},
};

/// The frames of one lease, from the first to the last.
pub(super) struct Walk<'a> {
    free_frames: &'a FreeFrames,
    slice: u32,
    handle: u64,
    /// As long as the lease runs, its list stays what it was with the first piece.
    frames: Option<Iter<'a>>,
    done: u32,
}

/// The next frames of a lease.
pub(super) struct Frames<'a, 'b> {
    /// The first of them comes next.
    pub(super) iter: &'b mut Iter<'a>,
    /// The page of the lease that it is.
    pub(super) first: u32,
    /// How many there are; 0 at the end.
    pub(super) count: u32,
}

impl<'a> Walk<'a> {
    /// Through the lease `handle`.
    pub(super) fn new(free_frames: &'a FreeFrames, slice: u32, handle: u64) -> Self {
        Self {
            free_frames,
            slice,
            handle,
            frames: None,
            done: 0,
        }
    }

    /// Does `work` with the next frames; `None` if the lease has ended. `slices` are locked
    /// for this piece. `work` takes at most [`PIECE`] steps.
    pub(super) fn piece<R>(
        &mut self,
        slices: &mut Slices,
        work: impl FnOnce(&Slice, Frames<'a, '_>) -> R,
    ) -> Option<R> {
        let entry = slices.of(self.slice, self.handle)?;
        let free_frames = self.free_frames;
        let iter = self
            .frames
            .get_or_insert_with(|| free_frames.iter(entry.list()));
        let first = self.done;
        let count = entry.list().len().saturating_sub(first).min(PIECE);
        self.done = first.plus(count);
        Some(work(entry, Frames { iter, first, count }))
    }
}
