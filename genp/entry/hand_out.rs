// SPDX-License-Identifier: GPL-2.0

//! New file descriptors for the caller.

use kernel::{bindings, fs::file::FileDescriptorReservation, prelude::*};

use crate::genp::sys::{file::Openable, headroom};

/// Gives the caller a file descriptor of a partition: `answer` writes its number to user
/// memory. If that fails there is none, and the file is dropped. EMFILE, ENOMEM, and the
/// errors of `answer`. Context: thread, may sleep.
pub(super) fn hand_out(file: impl Openable, answer: impl FnOnce(i32) -> Result) -> Result {
    headroom::check_descriptor()?;
    let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    // CAST: descriptors are below 2^31.
    answer(fd.reserved_fd() as i32)?;
    file.install(fd);
    Ok(())
}
