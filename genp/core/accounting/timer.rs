// SPDX-License-Identifier: GPL-2.0

//! The timer of the recall thread: until when it sleeps, and for whose lease.
//!
//! It is not set anew when a lease goes for which it was set: it fires then and may find
//! nothing to do. That is charged to the partition of that lease, if that is closed to its
//! place in the table: by leases that are each returned just before they are recalled it
//! could otherwise be made to fire as often as somebody likes.

use super::{Accounting, Memory, PartitionId};

/// Until when the recall thread sleeps.
pub(super) struct Timer {
    /// Never: `u64::MAX`.
    until: u64,
    /// Whose lease is due then; `None` if nobody's, or if something was due since.
    of: Option<PartitionId>,
}

impl Timer {
    pub(super) const NEVER: Self = Self {
        until: u64::MAX,
        of: None,
    };

    /// Something was due.
    pub(super) fn was_useful(&mut self) {
        self.of = None;
    }
}

impl<M: Memory> Accounting<M> {
    /// The time until which the recall thread may sleep from `now` on. Charges for the timer
    /// that has fired, if it found nothing to do. O(1), for a partition that was closed meanwhile
    /// O(log accounts).
    pub fn arm(&mut self, now: u64) -> u64 {
        if now >= self.timer.until {
            if let Some(id) = self.timer.of.take() {
                self.charge_wake(id, now);
            }
        }
        self.set_timer();
        self.timer.until
    }

    /// Whether the recall thread is to be woken, because it would sleep past what is due
    /// next: it is set for that then. O(1).
    #[inline]
    pub fn wants_recall(&mut self) -> bool {
        let late = self.next_due().unwrap_or(u64::MAX) < self.timer.until;
        if late {
            self.set_timer();
        }
        late
    }

    fn set_timer(&mut self) {
        let until = self.next_due().unwrap_or(u64::MAX);
        let of = (until < u64::MAX).then(|| self.entry(self.first_due()).partition);
        self.timer = Timer { until, of };
    }
}
