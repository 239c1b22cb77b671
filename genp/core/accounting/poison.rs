// SPDX-License-Identifier: GPL-2.0

//! Frames with memory errors: they leave the accounting, one by one, and for good.
//!
//! A frame is found to be poisoned when it is among the free ones, or when it comes back.
//! In both cases the accounting has it as free, or has promised it to somebody who will
//! not find it. Then it is owed: the next frames that come free pay for it, before anybody
//! is granted them. Who was promised it gives back what it has, and so pays.

use super::{super::count::Count, Accounting, Frames, Memory};

impl<M: Memory> Accounting<M> {
    /// Retires `frames` frames that were found among the free ones and are poisoned. Call
    /// [`Self::serve`] afterwards: a waiter may want more than can be lent now. O(1).
    pub fn retire(&mut self, frames: Frames) {
        let now = frames.min(self.totals.free);
        self.totals.free.lower(now);
        self.totals.poisoned.raise(now);
        self.owed.raise(frames.saturating_sub(now));
    }

    /// Frames that were retired and are promised to somebody still. O(1).
    pub fn owed(&self) -> Frames {
        self.owed
    }

    /// Makes `frames` frames free, less what is owed. O(1).
    pub(super) fn set_free(&mut self, frames: Frames) {
        let pays = frames.min(self.owed);
        self.owed.lower(pays);
        self.totals.poisoned.raise(pays);
        self.totals.free.raise(frames.saturating_sub(pays));
    }
}
