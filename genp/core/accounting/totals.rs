// SPDX-License-Identifier: GPL-2.0

//! The pool in numbers.

use super::{super::count::Count, Frames};

/// The pool in numbers. `capacity` is always `committed + lent + overdue + free +
/// poisoned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All frames.
    pub capacity: Frames,
    /// Frames committed to reserves and stocks.
    pub committed: Frames,
    /// Frames on lease, without overdue ones.
    pub lent: Frames,
    /// Frames of leases that drivers have not returned in time.
    pub overdue: Frames,
    /// Free frames.
    pub free: Frames,
    /// Frames with memory errors, which nobody gets any more.
    pub poisoned: Frames,
    /// Leases, waiting ones included.
    pub leases: u32,
    /// Waiting requests.
    pub waiters: u32,
    /// Partitions, closed ones with frames in quarantine included, and those that may be
    /// children.
    pub partitions: u32,
}

impl Totals {
    /// Frames that are not committed, overdue or poisoned: the most that can be lent.
    pub fn lendable(&self) -> Frames {
        self.lent.plus(self.free)
    }
}
