// SPDX-License-Identifier: GPL-2.0

//! Memory of the benchmark itself: not of an allocator under test, populated before the
//! measurement begins, and shared with the children that measure.

use std::{
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
};

/// A slice of plain numbers in a mapping of its own.
pub struct Buffer<T> {
    start: NonNull<T>,
    length: usize,
}

impl<T: Copy + Default> Buffer<T> {
    /// `length` defaults, in memory that children share.
    pub fn new(length: usize) -> Self {
        let bytes = (length * size_of::<T>()).max(1);
        // SAFETY: a new mapping where the kernel likes.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        assert!(start != libc::MAP_FAILED, "no memory for the bench itself");
        let start = NonNull::new(start.cast::<T>()).expect("a mapping is nowhere at 0");
        let mut buffer = Self { start, length };
        buffer.touch();
        buffer
    }

    /// Populates the page tables of the calling process.
    pub fn touch(&mut self) {
        self.fill(T::default());
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: mapped for as long as `self` is, and filled by `new`; a child
        // that writes is waited for before its parent reads.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let bytes = (self.length * size_of::<T>()).max(1);
        // SAFETY: our own mapping, which is not used any longer.
        unsafe { libc::munmap(self.start.as_ptr().cast(), bytes) };
    }
}
