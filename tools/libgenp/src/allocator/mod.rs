// SPDX-License-Identifier: MIT OR Apache-2.0

//! The allocator traits of Rust: [`Allocator`] of the crate allocator-api2 for the heap of a
//! partition, and [`Global`] for a whole program.
//!
//! ```no_run
//! use allocator_api2::vec::Vec;
//! use genp::Partition;
//!
//! let part = Partition::create(2 << 20, 0)?;
//! let mut numbers = Vec::with_capacity_in(1000, &part);
//! numbers.push(1);
//! # Ok::<(), std::io::Error>(())
//! ```

mod global;

pub use global::Global;

use std::{alloc::Layout, io, process, ptr::NonNull};

#[cfg(feature = "allocator-api2")]
use allocator_api2::alloc::{AllocError, Allocator};

use crate::heap::Heap;
#[cfg(feature = "allocator-api2")]
use crate::{Arena, Partition};

/// What to do when a block could not be freed: nothing in a forked child, whose parent has it,
/// and nothing in a signal handler that interrupted the heap. Else it is no live block or was
/// overwritten, and to go on would be to go on with that.
#[cold]
fn not_freed(error: &io::Error) {
    if !matches!(error.raw_os_error(), Some(libc::ECHILD | libc::EDEADLK)) {
        process::abort();
    }
}

impl Heap {
    /// Allocates what may be nothing.
    fn allocate_layout(&self, layout: Layout) -> io::Result<NonNull<[u8]>> {
        let start = match layout.size() {
            0 => dangling(layout),
            size => self.alloc(size, layout.align())?,
        };
        Ok(NonNull::slice_from_raw_parts(start, layout.size()))
    }

    /// Frees it.
    ///
    /// # Safety
    ///
    /// From [`Self::allocate_layout`] with a layout that fits, and used no longer.
    unsafe fn deallocate_layout(&self, start: NonNull<u8>, layout: Layout) {
        if layout.size() == 0 {
            return;
        }
        // SAFETY: by the precondition.
        if let Err(error) = unsafe { self.free(start) } {
            not_freed(&error);
        }
    }

    /// Changes its layout, where it is if that can be.
    ///
    /// # Safety
    ///
    /// As of [`Self::deallocate_layout`]; on error it is as it was.
    unsafe fn change_layout(
        &self,
        start: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> io::Result<NonNull<[u8]>> {
        if old.size() > 0 && new.size() > 0 && new.align() <= old.align() {
            // SAFETY: by the precondition. It keeps its alignment.
            let start = unsafe { self.realloc(start, new.size()) }?;
            return Ok(NonNull::slice_from_raw_parts(start, new.size()));
        }
        let moved = self.allocate_layout(new)?;
        let bytes = old.size().min(new.size());
        // SAFETY: two different blocks, both of at least that many bytes.
        unsafe { moved.cast().copy_from_nonoverlapping(start, bytes) };
        // SAFETY: by the precondition.
        unsafe { self.deallocate_layout(start, old) };
        Ok(moved)
    }
}

/// The address of nothing.
fn dangling(layout: Layout) -> NonNull<u8> {
    // An alignment is not 0.
    let address = std::ptr::without_provenance_mut(layout.align());
    NonNull::new(address).unwrap_or(NonNull::dangling())
}

#[cfg(feature = "allocator-api2")]
fn refused(_: io::Error) -> AllocError {
    AllocError
}

/// The trait for a type with a heap.
#[cfg(feature = "allocator-api2")]
macro_rules! allocator {
    ($type:ty) => {
        // SAFETY: a block stays where it is until it is freed, also when the heap moves; the
        // memory stays until this is dropped.
        unsafe impl Allocator for $type {
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                self.heap().allocate_layout(layout).map_err(refused)
            }

            unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
                // SAFETY: by the trait.
                unsafe { self.heap().deallocate_layout(start, layout) };
            }

            unsafe fn grow(
                &self,
                start: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: by the trait.
                unsafe { self.heap().change_layout(start, old, new) }.map_err(refused)
            }

            unsafe fn grow_zeroed(
                &self,
                start: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: by the trait.
                let grown = unsafe { self.heap().change_layout(start, old, new) };
                let grown = grown.map_err(refused)?;
                let more = new.size() - old.size();
                // SAFETY: the block has that many bytes behind those that it had.
                unsafe { grown.cast::<u8>().add(old.size()).write_bytes(0, more) };
                Ok(grown)
            }

            unsafe fn shrink(
                &self,
                start: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: by the trait.
                unsafe { self.heap().change_layout(start, old, new) }.map_err(refused)
            }
        }
    };
}

#[cfg(feature = "allocator-api2")]
impl Heap {
    fn heap(&self) -> &Self {
        self
    }
}

#[cfg(feature = "allocator-api2")]
allocator!(Heap);
#[cfg(feature = "allocator-api2")]
allocator!(Partition);
#[cfg(feature = "allocator-api2")]
allocator!(Arena);

#[cfg(test)]
mod tests;
