// SPDX-License-Identifier: GPL-2.0

//! Memory errors in leases.

use kernel::page::PAGE_SHIFT;

use super::{
    slices::{Slice, Slices},
    window::LeaseWindow,
    Leases,
};
use crate::genp::{core::count::Count, sys::vma::LeaseVma};

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

    /// Maps the frames of a lease, whose first page is `start`, but those with memory
    /// errors: a walk for each piece between them. False if there is none.
    pub(super) fn map_sound(&self, entry: &Slice, vma: &LeaseVma<'_>, start: u32) -> bool {
        let free_frames = &self.account().pool().free_frames;
        let mut list = free_frames.iter(entry.list());
        let mut at = start;
        let mut mapped = false;
        loop {
            let piece = list.clone();
            let sound = list
                .by_ref()
                .take_while(|frame| !self.account().poisoned(*frame));
            // CAST: at most as many as the lease has pages.
            let count = sound.count() as u32;
            if count > 0 {
                mapped |= vma.map(at, count, piece, free_frames.frames()).is_ok();
            }
            at = at.plus(count).plus(1);
            if at.saturating_sub(start) > entry.list().len() {
                return mapped;
            }
        }
    }
}
