// SPDX-License-Identifier: GPL-2.0

//! What a partition measures when the module is loaded, see
//! [`calibration`](crate::genp::registry::calibration).

use kernel::prelude::*;

use super::Partition;
use crate::genp::sys::{file::FileRef, own_mapping::OwnMapping, time};

impl Partition {
    /// Maps its lease window in the caller's address space. Context: thread, may sleep.
    pub(crate) fn map_leases(&self, file: &FileRef<Self>) -> Result<OwnMapping> {
        let windows = self.windows();
        OwnMapping::new(file, windows.lease_offset, windows.lease_length)
    }

    /// Whether it has a lease. Context: thread.
    pub(crate) fn has_leases(&self) -> bool {
        self.account
            .with_lending(|state, id| state.accounting.account(id).leases() > 0)
    }

    /// Zeroes its reserve, which nobody uses: what was in the caches is not any more.
    /// Returns how long that took for each page, rounded up. Context: thread, may sleep.
    pub(crate) fn cool(&self) -> u64 {
        let frames = self.reserve.lock();
        let begin = time::now();
        self.reserve.zero(&frames);
        let took = time::now().saturating_sub(begin);
        let each = took.checked_div(frames.pages().into()).unwrap_or(took);
        each.saturating_add(1)
    }
}
