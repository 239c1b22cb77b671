// SPDX-License-Identifier: GPL-2.0

//! The priority at which leases are ended: that of who waits for it most urgently.
//!
//! A request that waits counts with its priority for as long as it waits. Who cannot wait,
//! and was refused what a lease beyond its deadline has, counts until there is no such
//! lease any more. Nobody else needs a lease to end: without any of them the work is done
//! at a base priority.

use kernel::{prelude::*, sync::Arc};

use super::lending::{Lending, LendingState};
use crate::genp::sys::{
    lock::{new_pi_mutex, PiMutex},
    thread::Waker,
};

/// Gives the revoking thread its priority.
#[pin_data]
pub(crate) struct Urgency {
    /// Held from the decision until the priority is set, so that none is set that was
    /// decided before another one. Who waits for it lends the holder its own priority.
    #[pin]
    setting: PiMutex<()>,
    thread: Arc<Waker>,
}

impl Urgency {
    pub(crate) fn new(thread: Arc<Waker>) -> impl PinInit<Self> {
        pin_init!(Self {
            setting <- new_pi_mutex!((), "genp_urgency"),
            thread,
        })
    }

    /// Gives the thread the priority that is wanted now. To be called by whoever finds
    /// [`LendingState::wants_raise`], after the lending lock. Context: thread, may sleep; no
    /// locks held but those of levels below.
    pub(super) fn settle(&self, lending: &Lending) {
        let _setting = self.setting.lock();
        if let Some(prio) = lending.with(LendingState::decide_prio) {
            self.thread.set_fifo(prio);
        }
    }
}
