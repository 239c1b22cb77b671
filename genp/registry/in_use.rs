// SPDX-License-Identifier: GPL-2.0

//! Watermarks the partition that a thread of GenP uses, so that its last close can wait until
//! the thread is done. The thread must not drop the last reference: that sleeps.

use kernel::sync::atomic::{Acquire, Atomic, Relaxed, Release};

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

    /// Context: the thread this is about.
    pub(super) fn begin(&self, id: PartitionId) -> InUseGuard<'_> {
        // Relaxed: the lock of the table orders this against `at`, which comes after
        // the partition left it: either the look-up that follows finds nothing, or `at`
        // sees this.
        self.0.store(id.0, Relaxed);
        InUseGuard(self)
    }

    /// Whether the thread uses partition `id`, which has left the table.
    pub(super) fn at(&self, id: PartitionId) -> bool {
        // Acquire: pairs with the store in the drop of the guard.
        self.0.load(Acquire) == id.0
    }
}

impl Drop for InUseGuard<'_> {
    fn drop(&mut self) {
        // Release: the reference was dropped before. Pairs with `InUseMarker::at`.
        self.0 .0.store(InUseMarker::NONE, Release);
    }
}
