// SPDX-License-Identifier: GPL-2.0

//! The order of waiting requests, and their queues, linked through the table of leases.

use super::{queue::Queue, Accounting, Lease, Memory, WaitOrder, NONE};

impl<M: Memory> Accounting<M> {
    /// Whether a request with this priority and arrival is served before `other`.
    pub(super) fn precedes(&self, prio: i32, arrival: u64, other: u32) -> bool {
        let other = self.entry(other);
        match self.limits.order {
            WaitOrder::Prio if prio != other.prio => prio < other.prio,
            _ => arrival < other.arrival,
        }
    }

    /// The requests of the queue that begins at `head`, in order: at most as many as may
    /// wait.
    pub(super) fn queued(&self, head: u32) -> impl Iterator<Item = &Lease> {
        let lease_at = |index: u32| self.leases.get(index as usize);
        ::core::iter::successors(lease_at(head), move |lease| lease_at(lease.next))
            .take(self.limits.max_waiters as usize)
    }

    /// Inserts a request into a queue behind those that it does not precede. As many
    /// steps as there are requests that it precedes.
    pub(super) fn enqueue(&mut self, mut queue: Queue, index: u32) -> Queue {
        let (prio, arrival) = (self.entry(index).prio, self.entry(index).arrival);
        let mut before = queue.tail;
        while before != NONE && self.precedes(prio, arrival, before) {
            before = self.entry(before).prev;
        }
        let after = if before == NONE {
            ::core::mem::replace(&mut queue.head, index)
        } else {
            ::core::mem::replace(&mut self.lease_mut(before).next, index)
        };
        if after == NONE {
            queue.tail = index;
        } else {
            self.lease_mut(after).prev = index;
        }
        let lease = self.lease_mut(index);
        lease.prev = before;
        lease.next = after;
        queue
    }

    /// Removes a request from its queue. O(1).
    pub(super) fn dequeue(&mut self, mut queue: Queue, index: u32) -> Queue {
        let (prev, next) = (self.entry(index).prev, self.entry(index).next);
        if prev == NONE {
            queue.head = next;
        } else {
            self.lease_mut(prev).next = next;
        }
        if next == NONE {
            queue.tail = prev;
        } else {
            self.lease_mut(next).prev = prev;
        }
        let lease = self.lease_mut(index);
        lease.prev = NONE;
        lease.next = NONE;
        queue
    }
}
