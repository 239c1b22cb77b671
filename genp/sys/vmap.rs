// SPDX-License-Identifier: GPL-2.0

//! Frames mapped contiguously into the kernel's address space.

use core::ptr::NonNull;

use kernel::prelude::*;

use super::{alloc_flags::CREATE_FLAGS, glue, page::FrameTable, table};

/// A mapping of frames for the kernel. Dropping it unmaps them.
pub(crate) struct Vmap {
    start: NonNull<u8>,
}

// SAFETY: owns an address range, which may be used from any thread.
unsafe impl Send for Vmap {}
// SAFETY: a shared reference gives only its address.
unsafe impl Sync for Vmap {}

impl Vmap {
    /// Maps frames in the order of `list`. ENOMEM. Context: thread, may sleep.
    pub(crate) fn map(frames: &FrameTable, list: &[u32]) -> Result<Self> {
        let mut pages = table::with_room(list.len(), CREATE_FLAGS)?;
        // loop-bound: reserve_pages
        for frame in list {
            let page = frames.page(*frame);
            if page.is_null() {
                return Err(EINVAL);
            }
            pages.push_within_capacity(page)?;
        }
        // SAFETY: an array of `list.len()` pages, all of them ours.
        let start = unsafe { glue::genp_vmap(pages.as_mut_ptr(), list.len() as u32) };
        Ok(Self {
            start: NonNull::new(start.cast()).ok_or(ENOMEM)?,
        })
    }

    /// The address of its first byte.
    pub(crate) fn start(&self) -> usize {
        self.start.as_ptr() as usize
    }
}

impl Drop for Vmap {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`.
        unsafe { glue::genp_vunmap(self.start.as_ptr().cast()) }
    }
}
