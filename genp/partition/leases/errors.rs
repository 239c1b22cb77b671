// SPDX-License-Identifier: GPL-2.0

//! Memory errors in leases.

use kernel::{page::PAGE_SHIFT, prelude::*};

use super::{
    slices::{Slice, Slices},
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
            // As long as a page fault that maps the lease.
            self.window
                .find_errors(&mut self.window.lock(), slice, &tell);
            pause();
        }
    }
}

impl LeaseWindow {
    /// As [`Leases::find_errors`], in one slice.
    fn find_errors(&self, slices: &mut Slices, slice: u32, tell: impl Fn(u64, u64)) {
        let Some(entry) = slices.get(slice) else {
            return;
        };
        let mut at = 0u64;
        let mut found = false;
        for frame in self.account().pool().free_frames.iter(entry.list()) {
            if self.account().newly_poisoned(frame) {
                found = true;
                let offset = self.slice_offset(slice).plus(at << PAGE_SHIFT);
                self.unmap_page(offset);
                tell(entry.handle(), offset);
            }
            at.raise(1);
        }
        if let Some(entry) = slices.get_mut(slice).filter(|_| found) {
            entry.set_poisoned();
        }
    }

    /// The frame of a page of a lease, if it has that many. Linear in the pages of the
    /// lease.
    pub(super) fn frame(&self, entry: &Slice, within: u32) -> Option<u32> {
        let free_frames = &self.account().pool().free_frames;
        free_frames.iter(entry.list()).nth(within as usize)
    }

    /// Whether there is a memory error in a page of a lease. Linear in the pages of the
    /// lease if there may be any.
    pub(super) fn is_poisoned(&self, entry: &Slice, within: u32) -> bool {
        let suspect = entry.is_poisoned() || self.account().pool().errors.pending();
        suspect
            && self
                .frame(entry, within)
                .is_some_and(|frame| self.account().poisoned(frame))
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
        while at < end {
            let mut run = frames.clone();
            let left = frames.by_ref().take(end.saturating_sub(at) as usize);
            let sound = left.take_while(|frame| !self.account().poisoned(*frame));
            // CAST: at most `count`.
            let length = sound.count() as u32;
            if length > 0 {
                vma.map(at, length, &mut run, table)?;
            }
            at = at.plus(length).plus(1);
        }
        Ok(())
    }
}
