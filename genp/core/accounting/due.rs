// SPDX-License-Identifier: GPL-2.0

//! Deadlines: a binary heap of the running leases.

use super::{
    super::{count::Count, parameters::MAX_LEASES},
    Accounting, DueAction, LeaseId, LeaseState, Memory, NONE,
};

/// The most parents that an entry of the heap has above each other.
#[allow(dead_code)] // Of the bounds of loops, which tools/wcet reads.
const DEPTH: u32 = 12;
const _: () = assert!(MAX_LEASES < 2 << DEPTH);

impl<M: Memory> Accounting<M> {
    fn heap(&self, at: u32) -> u32 {
        self.heap.get(at as usize).copied().unwrap_or(NONE)
    }

    fn due_at(&self, at: u32) -> u64 {
        self.entry(self.heap(at)).due
    }

    fn set_heap(&mut self, at: u32, index: u32) {
        if let Some(entry) = self.heap.get_mut(at as usize) {
            *entry = index;
            self.lease_mut(index).heap_at = at;
        }
    }

    /// The child of an entry of the heap that is due first, and when; `None` without
    /// children.
    fn first_child(&self, at: u32) -> Option<(u32, u64)> {
        let one = at.times(2).plus(1);
        let other = one.plus(1);
        if one >= self.heap_len {
            return None;
        }
        let due = self.due_at(one);
        match other < self.heap_len {
            true if self.due_at(other) < due => Some((other, self.due_at(other))),
            _ => Some((one, due)),
        }
    }

    /// Puts a lease into the heap at `at` or, if others have to move there, above or below.
    /// O(log leases).
    fn place(&mut self, mut at: u32, index: u32) {
        let due = self.entry(index).due;
        // loop-bound: DEPTH
        while at > 0 {
            let parent = at.minus(1) / 2;
            let above = self.heap(parent);
            if due >= self.entry(above).due {
                break;
            }
            self.set_heap(at, above);
            at = parent;
        }
        // loop-bound: DEPTH
        while let Some((child, first)) = self.first_child(at) {
            if due <= first {
                break;
            }
            self.set_heap(at, self.heap(child));
            at = child;
        }
        self.set_heap(at, index);
    }

    /// Makes a lease due at `due`, or when it was granted if that is later: what was granted
    /// after a deadline never comes before the lease that ended then, so that R is bounded
    /// by the leases there were. O(log leases).
    pub(super) fn schedule(&mut self, index: u32, due: u64) {
        let lease = self.lease_mut(index);
        lease.due = due.max(lease.granted);
        let mut at = self.entry(index).heap_at;
        if at == NONE {
            at = self.heap_len;
            self.heap_len.raise(1);
        }
        self.place(at, index);
    }

    /// Makes a lease never due again, and takes it off the heap. O(log leases).
    pub(super) fn unschedule(&mut self, index: u32) {
        let at = self.entry(index).heap_at;
        if at == NONE {
            return;
        }
        self.heap_len.lower(1);
        let last = self.heap_len;
        self.lease_mut(index).heap_at = NONE;
        if at < last {
            self.place(at, self.heap(last));
        }
    }

    /// The lease that is due first, or `NONE`. O(1).
    pub(super) fn first_due(&self) -> u32 {
        match self.heap_len {
            0 => NONE,
            _ => self.heap(0),
        }
    }

    /// When the next lease is due, in nanoseconds; `None` if none is. O(1).
    pub fn next_due(&self) -> Option<u64> {
        (self.heap_len > 0)
            .then(|| self.due_at(0))
            .filter(|&due| due < u64::MAX)
    }

    /// The next lease that is due at `now`, and what to do about it; `None` if there is
    /// none. A recalled lease is due again when it expires. One to revoke or to report
    /// stays on the heap, but is not due again. O(log leases).
    pub fn due(&mut self, now: u64) -> Option<DueAction> {
        if self.next_due()? > now {
            return None;
        }
        self.timer.was_useful();
        let index = self.heap(0);
        let lease = *self.entry(index);
        let dying = self.account(lease.partition).dying;
        if lease.state == LeaseState::Active
            && now < lease.expires
            && (!dying || lease.is_non_revocable())
        {
            let entry = self.lease_mut(index);
            entry.state = LeaseState::Recalled;
            // Work was done: nothing is given back any more.
            entry.work = 0;
            self.schedule(index, lease.expires);
            self.account_of(lease.partition).counters.recalls.raise(1);
            return Some(DueAction::Recall(LeaseId(index)));
        }
        self.schedule(index, u64::MAX);
        self.lease_mut(index).work = 0;
        if !lease.is_non_revocable() {
            return Some(DueAction::Revoke(LeaseId(index)));
        }
        self.mark_overdue(index);
        Some(DueAction::Report(LeaseId(index)))
    }
}
