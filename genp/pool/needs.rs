// SPDX-License-Identifier: GPL-2.0

//! Who needs leases to end, how urgently, and since when.

use super::config::PrioRange;

/// Besides the requests that wait, which the accounting knows.
pub(super) struct Needs {
    /// The most urgent priority at which anybody was refused what leases beyond their
    /// deadline have.
    refused: Option<i32>,
    /// Since when requests wait; `u64::MAX` while none does.
    waited_since: u64,
    /// Whether all ends count as needed, since they are measured.
    measured: bool,
    range: PrioRange,
    /// The priority that the revoking thread was given last.
    given: i32,
}

impl Needs {
    /// Nobody needs anything.
    pub(super) fn none(range: PrioRange) -> Self {
        Self {
            refused: None,
            waited_since: u64::MAX,
            measured: false,
            range,
            given: range.base,
        }
    }

    /// Somebody was refused, at a priority of the kernel's.
    pub(super) fn refuse(&mut self, prio: i32) {
        self.refused = Some(self.refused.map_or(prio, |other| other.min(prio)));
    }

    /// No lease is beyond its deadline any more.
    pub(super) fn all_ended(&mut self) {
        self.refused = None;
    }

    /// The priority that the revoking thread should have, if the most urgent request that
    /// waits has this one.
    pub(super) fn wanted(&self, waits: Option<i32>) -> i32 {
        if self.measured {
            return self.range.most;
        }
        let need = match (waits, self.refused) {
            (Some(waits), Some(refused)) => Some(waits.min(refused)),
            (waits, refused) => waits.or(refused),
        };
        let fifo = need.map_or(0, |prio| 99i32.saturating_sub(prio));
        fifo.min(self.range.most).max(self.range.base)
    }

    /// The priority that it was given last.
    pub(super) fn given(&self) -> i32 {
        self.given
    }

    /// Decides for the priority that is wanted, and returns it if that is a change.
    pub(super) fn decide(&mut self, waits: Option<i32>) -> Option<i32> {
        let wanted = self.wanted(waits);
        (::core::mem::replace(&mut self.given, wanted) != wanted).then_some(wanted)
    }

    /// Says whether any request waits, after each change.
    pub(super) fn note_waiters(&mut self, any: bool, now: u64) {
        self.waited_since = match any {
            true => self.waited_since.min(now),
            false => u64::MAX,
        };
    }

    /// Has all ends count as needed, or no longer.
    pub(super) fn measure(&mut self, measured: bool) {
        self.measured = measured;
    }

    /// Since when requests have waited for a lease that expired at `expires` to end; never
    /// if none waits.
    pub(super) fn waited_since(&self, expires: u64) -> u64 {
        match self.measured {
            true => expires,
            false => self.waited_since.max(expires),
        }
    }
}
