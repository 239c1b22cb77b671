// SPDX-License-Identifier: GPL-2.0

//! Memory that the kernel itself allocates for a call of ours: files and page tables.
//!
//! It is charged to the memory cgroup of the caller, but where that is full, the kernel
//! kills a process in it rather than have the call fail. So the call is refused before, if
//! so much memory cannot be had in the gentle way of [`CREATE_FLAGS`].

use kernel::prelude::*;

use super::alloc_flags::CREATE_FLAGS;

/// Whether `bytes` can be charged and allocated now: ENOMEM. Others who share the cgroup may
/// use it up before the caller does. Context: thread, may sleep. Linear in the bytes.
pub(crate) fn check(bytes: usize) -> Result {
    drop(KVVec::<u8>::with_capacity(bytes, CREATE_FLAGS)?);
    Ok(())
}
