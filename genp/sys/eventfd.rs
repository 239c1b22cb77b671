// SPDX-License-Identifier: GPL-2.0

//! Eventfds of programs.

use core::ptr::NonNull;

use kernel::{bindings, error::from_err_ptr, prelude::*};

use super::glue;

/// A reference to an eventfd.
pub(crate) struct EventFd(NonNull<bindings::eventfd_ctx>);

// SAFETY: a counted reference to an object with a lock of its own.
unsafe impl Send for EventFd {}
// SAFETY: as above.
unsafe impl Sync for EventFd {}

impl EventFd {
    /// The eventfd of a file descriptor of the caller: EBADF, or EINVAL if it is
    /// something else. Context: thread.
    pub(crate) fn from_fd(fd: i32) -> Result<Self> {
        // SAFETY: any number is checked by the call.
        let eventfd = from_err_ptr(unsafe { glue::genp_eventfd_get(fd) })?;
        NonNull::new(eventfd).map(Self).ok_or(EINVAL)
    }

    /// Adds one to it. Context: thread.
    pub(crate) fn signal(&self) {
        // SAFETY: we hold a reference.
        unsafe { glue::genp_eventfd_signal(self.0.as_ptr()) }
    }
}

impl Drop for EventFd {
    fn drop(&mut self) {
        // SAFETY: gives up our reference.
        unsafe { glue::genp_eventfd_put(self.0.as_ptr()) }
    }
}
