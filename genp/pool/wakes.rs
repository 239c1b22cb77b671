// SPDX-License-Identifier: GPL-2.0

//! Who is woken after a section under the lending lock.

use kernel::{
    sync::{aref::ARef, Arc},
    task::Task,
};

use crate::genp::sys::thread::Waker;

/// Who is to be woken.
pub(super) struct Wakes {
    pub(super) recall: bool,
    pub(super) revoke: bool,
    pub(super) refill: bool,
    pub(super) waiter: Option<ARef<Task>>,
}

impl Wakes {
    pub(super) fn any(&self) -> bool {
        self.recall || self.revoke || self.refill || self.waiter.is_some()
    }
}

/// The threads among them.
pub(super) struct Threads {
    pub(super) recall: Arc<Waker>,
    pub(super) revoke: Arc<Waker>,
    pub(super) refill: Arc<Waker>,
}

impl Threads {
    /// Wakes all. Context: any but NMI, without the lending lock, before the caller can be
    /// preempted.
    #[inline(never)] // One for all sections, most of which wake nobody.
    pub(super) fn wake_all(&self, wakes: &Wakes) {
        if wakes.recall {
            self.recall.wake();
        }
        if wakes.revoke {
            self.revoke.wake();
        }
        if wakes.refill {
            self.refill.wake();
        }
        if let Some(waiter) = &wakes.waiter {
            waiter.wake_up();
        }
    }
}
