// SPDX-License-Identifier: GPL-2.0

//! Memory errors in what a partition has: its owner is told, once for each page.

use super::Partition;
use crate::genp::sys::{abi, trace};

/// The offset of a page that no file has, `GENP_NO_OFFSET`: bindgen has it as an i32.
const NO_OFFSET: u64 = u64::MAX;
const _: () = assert!(abi::GENP_NO_OFFSET as i64 as u64 == NO_OFFSET);

impl Partition {
    /// Finds pages with memory errors and tells of them. Calls `pause` between two pieces of
    /// the work. Linear in what the partition has. Context: the thread that tells of errors;
    /// may sleep.
    pub(crate) fn find_memory_errors(&self, pause: impl Fn()) {
        self.reserve
            .find_errors(&pause, |offset| self.tell_error(0, offset));
        self.leases
            .find_errors(&pause, |handle, offset| self.tell_error(handle, offset));
        self.stock
            .find_errors(&pause, || self.tell_error(0, NO_OFFSET));
        self.blocks
            .find_errors(&pause, || self.tell_error(0, NO_OFFSET));
    }

    /// The reports of memory errors that were looked into before it took its first frame.
    pub(crate) fn errors_looked_for(&self) -> u32 {
        self.errors_looked_for
    }

    fn tell_error(&self, handle: u64, offset: u64) {
        self.memory_errors.add(1);
        trace::memory_error(self.id().0, handle, offset);
        self.events.announce_error(handle, offset);
    }
}
