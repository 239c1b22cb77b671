// SPDX-License-Identifier: GPL-2.0

//! Which partition a thread of the pool is at, so that its close can wait for that:
//! the thread must not be the one to drop the last reference, for it sleeps then.

use kernel::sync::atomic::{Acquire, Atomic, Relaxed, Release};

use super::super::core::books::PartitionId;

/// Which partition one thread is at.
pub(crate) struct Visiting(Atomic<u32>);

/// Ends the visit when dropped. Declare it before the partition's reference.
pub(crate) struct Visit<'a>(&'a Visiting);

impl Visiting {
    const NONE: u32 = u32::MAX;

    pub(crate) fn new() -> Self {
        Self(Atomic::new(Self::NONE))
    }

    /// Context: the thread this is about.
    pub(crate) fn begin(&self, id: PartitionId) -> Visit<'_> {
        // Relaxed: the lock of the roster orders this against `at`, which comes
        // after the partition left it: either the look-up that follows finds
        // nothing, or `at` sees this.
        self.0.store(id.0, Relaxed);
        Visit(self)
    }

    /// Whether the thread is at partition `id`, which has left the roster.
    pub(crate) fn at(&self, id: PartitionId) -> bool {
        // Acquire: pairs with the store in the drop of the visit.
        self.0.load(Acquire) == id.0
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        // Release: the reference was dropped before. Pairs with `at`.
        self.0 .0.store(Visiting::NONE, Release);
    }
}
