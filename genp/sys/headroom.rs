// SPDX-License-Identifier: GPL-2.0

//! Memory that a call of ours needs in one go: for a table of its own, and what the kernel
//! itself allocates for it, files and page tables.
//!
//! It is charged to the memory cgroup of the caller. Where that is full, the kernel kills a
//! process in it rather than have the call fail, or leaves it full for a while after
//! `vmalloc()` failed, so that it kills somebody else in it. So the call is refused before,
//! if so much memory cannot be had in the gentle way of [`CREATE_FLAGS`].
//!
//! [`CREATE_FLAGS`]: super::alloc_flags::CREATE_FLAGS

use kernel::prelude::*;

use super::glue;

/// Whether `bytes` can be charged and allocated now: ENOMEM. Others who share the cgroup may
/// use it up before the caller does. Context: thread, may sleep. Linear in the bytes.
pub(crate) fn check(bytes: usize) -> Result {
    // SAFETY: no preconditions but the context.
    if unsafe { glue::genp_has_headroom(bytes) } {
        Ok(())
    } else {
        Err(ENOMEM)
    }
}

/// Whether there is memory for a longer table of the caller's open files: ENOMEM. Context:
/// thread of a process, may sleep.
pub(crate) fn check_descriptor() -> Result {
    // SAFETY: no preconditions but the context.
    check(unsafe { glue::genp_next_files_table() })
}
