// SPDX-License-Identifier: GPL-2.0

//! A mapping in the address space of whoever makes it.

use core::marker::PhantomData;

use kernel::{prelude::*, task::Task};

use super::{
    file::{FileOwner, FileRef},
    glue,
};

/// The addresses above are error numbers, negated.
const MAX_ERRNO: usize = 4095;

/// A part of a file, mapped where the kernel likes, until the drop. It stays with the
/// thread that made it, whose address space it is in.
pub(crate) struct OwnMapping {
    start: usize,
    bytes: usize,
    _not_send: PhantomData<*mut Task>,
}

impl OwnMapping {
    /// Maps `bytes` bytes from `offset` on: ESRCH for a thread of the kernel, ENOMEM, and the
    /// errors of the file's mmap. Context: thread, may sleep.
    pub(crate) fn new<T: FileOwner>(file: &FileRef<T>, offset: u64, bytes: u64) -> Result<Self> {
        let bytes = usize::try_from(bytes).map_err(|_| EINVAL)?;
        // SAFETY: we have a reference to the file; the caller has no mmap lock.
        let start = unsafe { glue::genp_map_here(file.as_ptr(), offset, bytes) };
        if start > usize::MAX - MAX_ERRNO {
            // CAST: a negated errno.
            return Err(Error::from_errno(start as isize as i32));
        }
        Ok(Self {
            start,
            bytes,
            _not_send: PhantomData,
        })
    }
}

impl Drop for OwnMapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, in this address space, and nobody else knows of it.
        unsafe { glue::genp_unmap_here(self.start, self.bytes) }
    }
}
