// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory for this library itself: two or three blocks in the life of a process, each
//! mapped.

use std::{
    alloc::{GlobalAlloc, Layout},
    ptr,
};

#[global_allocator]
static OWN: Own = Own;

struct Own;

/// Alignment that every mapping has, whatever the size of a page.
const ALIGN: usize = 4096;

// SAFETY: each block is a mapping of its own.
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            return ptr::null_mut();
        }
        // SAFETY: a new mapping where the kernel likes.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                layout.size(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        match start == libc::MAP_FAILED {
            true => ptr::null_mut(),
            false => start.cast(),
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: a mapping of `alloc`.
        unsafe { libc::munmap(start.cast(), layout.size()) };
    }
}
