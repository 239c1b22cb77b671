// SPDX-License-Identifier: GPL-2.0

//! Marks the partition that a thread of GenP uses, so that the last close of the
//! partition can wait until the thread is done. The thread must not drop the last
//! reference, because that sleeps.

use kernel::sync::atomic::{Acquire, Atomic, Release};

use crate::genp::core::accounting::PartitionId;

/// The partition that one thread uses.
pub(super) struct InUseMarker(Atomic<u32>);

/// Clears the marker when dropped. Declare it before the partition's reference.
pub(super) struct InUseGuard<'a>(&'a InUseMarker);

impl InUseMarker {
    const NONE: u32 = u32::MAX;

    pub(super) fn new() -> Self {
        Self(Atomic::new(Self::NONE))
    }

    /// Marks partition `id`. Context: the thread whose marker this is.
    pub(super) fn begin(&self, id: PartitionId) -> InUseGuard<'_> {
        // The lock of the table orders this against `is_at`, which is called after the
        // partition left the table: either the look-up that follows this store finds
        // nothing, or `is_at` sees this.
        // Release: who finds another partition here, and not that there was none in between,
        // has to see as well that the reference to its own was dropped.
        self.0.store(id.0, Release);
        InUseGuard(self)
    }

    /// Whether the thread uses partition `id`, which has left the table.
    pub(super) fn is_at(&self, id: PartitionId) -> bool {
        // Acquire: pairs with the store in the drop of the guard, and with the next `begin`.
        self.0.load(Acquire) == id.0
    }
}

impl Drop for InUseGuard<'_> {
    fn drop(&mut self) {
        // Release: the reference was dropped before. Pairs with `InUseMarker::is_at`.
        self.0 .0.store(InUseMarker::NONE, Release);
    }
}
