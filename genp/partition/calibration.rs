// SPDX-License-Identifier: GPL-2.0

//! What a partition measures when the module is loaded, see
//! [`calibration`](crate::genp::registry::calibration).

use kernel::prelude::*;

use super::Partition;
use crate::genp::{
    core::samples::Samples,
    sys::{file::FileRef, own_mapping::OwnMapping},
};

/// Stretches that are measured, at most.
const STRETCHES: usize = 64;

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
    /// Returns how long that took for each page, rounded up, in the median of some stretches
    /// in which nobody else ran. Context: thread, may sleep.
    pub(crate) fn cool(&self) -> u64 {
        let mut taken: Samples<STRETCHES> = Samples::EMPTY;
        let frames = self.reserve.lock();
        self.reserve.zero(&frames, |each| taken.add(each));
        taken.median().saturating_add(1)
    }
}
