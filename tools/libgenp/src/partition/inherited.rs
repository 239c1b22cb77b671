// SPDX-License-Identifier: MIT OR Apache-2.0

//! The partition that a program is started with.

use std::{
    io,
    os::fd::{BorrowedFd, FromRawFd, OwnedFd},
};

use super::{error, making::Origin, Partition};

impl Partition {
    /// The partition that `genpctl create -- PROGRAM` gives this program, by the descriptor in
    /// `GENP_FD`, with a heap in it as if this process had created it. Closes that
    /// descriptor and keeps one that programs started by this one do not get. ENOENT without
    /// the variable, EBADF if it is no descriptor, any longer or at all, ENOTTY if it is no
    /// partition's, ENOMEM if there are regions in it already. Without the rights to write and to
    /// allocate there is no heap.
    pub fn inherited() -> io::Result<Self> {
        let text = std::env::var("GENP_FD").map_err(|_| error(libc::ENOENT))?;
        let number = text.parse().ok().filter(|&fd: &i32| fd >= 0);
        let number = number.ok_or_else(|| error(libc::EBADF))?;
        // SAFETY: only to look at it; a number that is none is EBADF.
        let kept = unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned()?;
        let part = Self::new(Origin::handed_over(kept.into(), true), None)?;
        // SAFETY: a partition's, so it is the one that this program was given.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
        Ok(part)
    }
}
