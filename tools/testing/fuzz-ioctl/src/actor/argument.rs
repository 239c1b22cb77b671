// SPDX-License-Identifier: GPL-2.0

//! The memory for a thread's ioctl arguments: two pages, and one that is not mapped.

use std::{mem, ptr};

use harness::{calls::raw_ioctl, page_bytes, Errno};

use crate::step::Layout;

/// Bytes of a page, as a length.
pub(super) fn page_size() -> usize {
    page_bytes() as usize
}

/// The pages.
pub struct ArgumentPages(usize);

impl ArgumentPages {
    /// New ones.
    pub fn new() -> Self {
        // SAFETY: a new mapping, whose last page is made inaccessible.
        let at = unsafe {
            let at = libc::mmap(
                ptr::null_mut(),
                3 * page_size(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert!(at != libc::MAP_FAILED, "no memory");
            libc::mprotect(at.add(2 * page_size()), page_size(), libc::PROT_NONE);
            at
        };
        Self(at as usize)
    }

    /// The address of the first page.
    pub fn start(&self) -> usize {
        self.0
    }

    fn protect(&self, protection: i32) {
        // SAFETY: our own pages, which hold no Rust object.
        unsafe { libc::mprotect(self.0 as *mut _, 2 * page_size(), protection) };
    }

    /// Issues a command with its argument in this layout. All structures begin
    /// with size and flags.
    pub fn call<T: Copy>(
        &mut self,
        fd: i32,
        command: u64,
        request: &mut T,
        layout: Layout,
    ) -> Result<(), Errno> {
        let ours = mem::size_of::<T>();
        let end = self.0 + 2 * page_size();
        let (at, size, command) = match layout {
            Layout::Exact | Layout::ReadOnly | Layout::Flag => (self.0, ours, command),
            Layout::Grown | Layout::Dirty => (self.0, ours + 24, command),
            Layout::OtherSizeBits => (self.0, ours, command ^ (5 << 16) ^ (3 << 30)),
            Layout::Tiny => (self.0, 4, command),
            Layout::Huge => (self.0, page_size() + 1, command),
            Layout::Nowhere => (end, ours, command),
            // The end of the structure is beyond the second page. A size of 8 would fit.
            Layout::Edge => (end - 8, ours.max(16), command),
        };
        if at != end {
            let room = (end - at).min(ours);
            // SAFETY: within the two pages, which are writable here.
            unsafe {
                ptr::write_bytes(self.0 as *mut u8, 0, 2 * page_size());
                ptr::copy_nonoverlapping(ptr::from_ref(request).cast::<u8>(), at as *mut u8, room);
                ptr::write_unaligned(at as *mut u32, size as u32);
                if layout == Layout::Flag {
                    ptr::write_unaligned((at + 4) as *mut u32, 1 << 30);
                }
                if layout == Layout::Dirty {
                    ptr::write((at + ours + 16) as *mut u8, 1);
                }
            }
        }
        if layout == Layout::ReadOnly {
            self.protect(libc::PROT_READ);
        }
        let done = raw_ioctl(fd, command, at);
        if layout == Layout::ReadOnly {
            self.protect(libc::PROT_READ | libc::PROT_WRITE);
        }
        if done.is_ok() && at == self.0 {
            // SAFETY: `ours` bytes are there; T is plain data.
            *request = unsafe { ptr::read_unaligned(at as *const T) };
        }
        done.map(|_| ())
    }
}

impl Drop for ArgumentPages {
    fn drop(&mut self) {
        // SAFETY: our own mapping.
        unsafe { libc::munmap(self.0 as *mut _, 3 * page_size()) };
    }
}
