// SPDX-License-Identifier: GPL-2.0

//! Memory errors in a reserve.

use kernel::page::PAGE_SHIFT;

use super::{frames::Backing, Reserve, ReserveFrames, RESERVE_OFFSET};

/// Pages that are looked at under one lock.
const SLICE: u32 = 256;

impl Reserve {
    /// Finds pages with memory errors that were not found before: unmaps each wherever it is
    /// mapped, so that who touches it is told, and calls `tell` with its offset in the file.
    /// Calls `pause` between two pieces of the work. Linear in the pages. Context: the
    /// thread that tells of errors; may sleep.
    pub(crate) fn find_errors(&self, pause: impl Fn(), tell: impl Fn(u64)) {
        let mut first = 0u32;
        loop {
            let mut frames = self.lock();
            let pages = frames.pages();
            if first >= pages {
                return;
            }
            let end = first.saturating_add(SLICE).min(pages);
            for page in first..end {
                if self.is_new_error(&mut frames, page) {
                    // Under the lock: there may be no mappings without it any more.
                    self.unmap(&frames, page, 1);
                    tell(RESERVE_OFFSET + (u64::from(page) << PAGE_SHIFT));
                }
            }
            drop(frames);
            first = end;
            pause();
        }
    }

    fn is_new_error(&self, frames: &mut ReserveFrames, page: u32) -> bool {
        match &frames.backing {
            Backing::Frames(table) => table
                .get(page as usize)
                .is_some_and(|frame| self.account.newly_poisoned(*frame)),
            Backing::Carveout(carveout) => {
                carveout.poisoned(page as usize) && frames.told.insert(page)
            }
        }
    }
}
