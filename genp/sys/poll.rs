// SPDX-License-Identifier: GPL-2.0

//! A queue of those who poll or read a file.

use core::ops::Deref;

#[cfg(not(GENP_SIM))]
use kernel::bindings;
use kernel::{prelude::*, sync::poll::PollCondVar, types::Opaque};
use pin_init::Wrapper;

use super::glue;

/// A [`PollCondVar`] that is gone at once. The kernel crate's own waits for a grace period
/// of RCU, which does not end while threads of SCHED_FIFO keep the processors from the
/// kernel's RCU threads.
///
/// # Invariants
///
/// Only files whose private data keeps the owner of the queue alive are registered with
/// it. Whoever polls such a file has left the queue before the file is released: select()
/// and poll() hold the file, epoll removes its items first.
/// What is in it is initialised, and its destructor does not run: it would empty the
/// queue, which is empty by the above.
#[pin_data]
pub(crate) struct PollQueue {
    #[pin]
    inner: Opaque<PollCondVar>,
}

// SAFETY: as a PollCondVar, which any thread may use and drop.
unsafe impl Send for PollQueue {}
// SAFETY: as above.
unsafe impl Sync for PollQueue {}

impl PollQueue {
    pub(crate) fn new(inner: impl PinInit<PollCondVar>) -> impl PinInit<Self> {
        // INVARIANT: nobody is registered yet.
        pin_init!(Self {
            inner <- Opaque::pin_init(inner),
        })
    }

    /// How many are in it, `most` at most. Context: thread; as many steps.
    pub(crate) fn len(&self, most: u32) -> u32 {
        // SAFETY: initialised by `new`, and nothing but a struct wait_queue_head: there is no
        // room for more in a PollCondVar.
        unsafe { glue::genp_queue_length(self.inner.get().cast(), most) }
    }

    /// Whether anybody is in it, by a look that waits for nobody. Of two, who changes
    /// something and looks here, and who joins and looks for a change, one sees the other:
    /// there is a full barrier before this look. Context: any.
    pub(crate) fn has_any(&self) -> bool {
        // SAFETY: as in `len`.
        unsafe { glue::genp_queue_has_any(self.inner.get().cast()) }
    }

    /// Wakes all who are in it, however many: its lock is held for a piece of them at a time.
    /// Linear in them. Context: thread, may sleep.
    pub(crate) fn wake_in_pieces(&self) {
        // SAFETY: as in `len`.
        unsafe { glue::genp_queue_wake(self.inner.get().cast()) }
    }
}

#[cfg(not(GENP_SIM))]
const _: () = assert!(size_of::<PollCondVar>() == size_of::<bindings::wait_queue_head>());

impl Deref for PollQueue {
    type Target = PollCondVar;

    fn deref(&self) -> &PollCondVar {
        // SAFETY: initialised by `new`, and changed by nobody but through it.
        unsafe { &*self.inner.get() }
    }
}
