// SPDX-License-Identifier: GPL-2.0

//! Memory errors in leases.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::{
    slices::Slice,
    walk::{Frames, Walk},
    window::LeaseWindow,
    Leases,
};
use crate::genp::{core::count::Count, frames::list::Iter, sys::vma::LeaseVma};

impl Leases {
    /// Finds frames of leases with memory errors that were not found before: unmaps each
    /// wherever it is mapped, so that who touches it is told, and calls `tell` with the
    /// handle of the lease and the offset in the file. Calls `pause` between two pieces of
    /// the work. Linear in what is lent. Context: the thread that tells of errors; may
    /// sleep.
    pub(in crate::genp::partition) fn find_errors(
        &self,
        pause: impl Fn(),
        tell: impl Fn(u64, u64),
    ) {
        for slice in 0..self.window.max_leases() {
            self.window.find_errors(slice, &pause, &tell);
        }
    }
}

impl LeaseWindow {
    /// As [`Leases::find_errors`], in one slice. A lease that ends meanwhile is left: its
    /// frames are looked at before anybody else has them, and so are those that a lease
    /// gets meanwhile.
    fn find_errors(&self, slice: u32, pause: impl Fn(), tell: impl Fn(u64, u64)) {
        let Some(handle) = self.lock().get(slice).map(Slice::handle) else {
            return;
        };
        let mut walk = Walk::new(&self.account().pool().free_frames, slice, handle);
        loop {
            let mut slices = self.lock();
            let piece = walk.piece(&mut slices, |_, frames| {
                (frames.count, self.tell_errors(frames, slice, handle, &tell))
            });
            let (looked, found) = piece.unwrap_or((0, false));
            if looked == 0 {
                return;
            }
            if let Some(entry) = slices.of(slice, handle).filter(|_| found) {
                entry.set_poisoned();
            }
            drop(slices);
            pause();
        }
    }

    /// Tells of the next frames of a lease that have memory errors; whether there are any.
    /// Context: thread, with the lock of the slices; may sleep.
    fn tell_errors(
        &self,
        frames: Frames<'_, '_>,
        slice: u32,
        handle: u64,
        tell: impl Fn(u64, u64),
    ) -> bool {
        let Frames { iter, first, count } = frames;
        let mut at = self
            .slice_offset(slice)
            .plus(u64::from(first) << PAGE_SHIFT);
        let mut found = false;
        for frame in iter.take(count as usize) {
            if self.account().newly_poisoned(frame) {
                found = true;
                self.unmap_page(at);
                tell(handle, at);
            }
            at.raise(1 << PAGE_SHIFT);
        }
        found
    }

    /// Whether frames of a lease may have memory errors. O(1).
    pub(super) fn is_suspect(&self, entry: &Slice) -> bool {
        entry.is_poisoned() || self.account().pool().errors.pending()
    }

    /// Maps the next `count` frames of a list from page `first` on, but those with memory
    /// errors: a walk for each run between them.
    pub(super) fn map_sound(
        &self,
        frames: &mut Iter<'_>,
        count: u32,
        vma: &LeaseVma<'_>,
        first: u32,
    ) -> Result {
        let table = self.account().pool().free_frames.frames();
        let end = first.saturating_add(count);
        let mut at = first;
        // loop-bound: poisoned + 1
        while at < end {
            let mut run = frames.clone();
            let left = frames.by_ref().take(end.saturating_sub(at) as usize);
            let sound = left.take_while(|frame| !self.account().poisoned(*frame));
            // CAST: at most `count`.
            // loop-total: mappings * lease_pages
            let length = sound.count() as u32;
            if length > 0 {
                vma.map(at, length, &mut run, table)?;
            }
            at = at.plus(length).plus(1);
        }
        Ok(())
    }
}
