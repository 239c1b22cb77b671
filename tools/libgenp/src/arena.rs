// SPDX-License-Identifier: MIT OR Apache-2.0

//! A heap for a whole process: without a descriptor, and for forked children as well.

use std::{
    io, mem,
    os::fd::AsFd,
    ptr::{self, NonNull},
};

pub use crate::heap::Held;
use crate::{
    abi,
    descriptor::Descriptor,
    heap::{self, Heap, HeapStat},
    mapping::{Mapping, BOTH},
    partition::Partition,
    resident,
};

/// The heap of a partition whose reserve is mapped for good. The mapping keeps the
/// partition: its descriptor is not needed and may be closed, by whomever.
///
/// fork(): whoever wants children to go on with it calls [`Self::hold`], then
/// [`Self::copy_to`] before the fork, [`Self::release`] in the parent, and
/// [`Self::adopt`] in the child when the copy is at the addresses of the original. A
/// child without that gets ECHILD, as from [`Partition`].
pub struct Arena {
    heap: Heap,
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the heap may be used by any thread; the rest is an address and a number.
unsafe impl Sync for Arena {}

impl Arena {
    /// Maps the reserve of a partition, whose descriptor has all rights, and makes a heap of all of
    /// it. ENOMEM if it has
    /// none, or if there is a region in it already. The code that calls this must never be
    /// unloaded.
    pub fn of(part: &Descriptor) -> io::Result<Self> {
        resident::is_resident();
        let windows = part.stat()?.windows;
        let length = windows.reserve_length;
        let reserve = Mapping::new(part.as_fd(), windows.reserve_offset, length, BOTH)?;
        let range = reserve
            .addresses()
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let heap = Partition::create_heap(part, abi::GENP_RIGHTS_ALL, &reserve, length, None)?;
        let start = NonNull::new(ptr::with_exposed_provenance_mut(range.start))
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EIO))?;
        mem::forget(reserve);
        Ok(Self {
            heap,
            start,
            length: range.len(),
        })
    }

    /// An arena of this heap, for tests.
    #[cfg(test)]
    pub(crate) fn with(heap: Heap, start: NonNull<u8>, length: usize) -> Self {
        Self {
            heap,
            start,
            length,
        }
    }

    /// Its heap.
    #[cfg(feature = "allocator-api2")]
    pub(crate) fn heap(&self) -> &Heap {
        &self.heap
    }

    /// Where it begins, on a page.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Its bytes, whole pages.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Whether an address lies in it.
    #[inline(always)]
    pub fn has(&self, address: *const u8) -> bool {
        (address as usize).wrapping_sub(self.start.as_ptr() as usize) < self.length
    }

    /// Allocates from this thread's cache, aligned to 16 bytes: None if that has no block
    /// of the size.
    #[inline(always)]
    pub fn cached_alloc(&self, size: usize) -> Option<NonNull<u8>> {
        self.heap.cached_alloc(size)
    }

    /// Allocates: EINVAL, ENOMEM, ECHILD, EDEADLK, ENOTRECOVERABLE.
    pub fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        self.heap.alloc(size, align)
    }

    /// Frees into this thread's cache: false if it has no room, or if this is no block.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    #[inline(always)]
    pub unsafe fn cached_free(&self, block: NonNull<u8>) -> bool {
        // SAFETY: by the precondition.
        unsafe { self.heap.cached_free(block) }
    }

    /// Frees: EINVAL, ECHILD, EDEADLK, ENOTRECOVERABLE.
    ///
    /// # Safety
    ///
    /// As of [`Self::cached_free`].
    pub unsafe fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        // SAFETY: by the precondition.
        unsafe { self.heap.free(block) }
    }

    /// Changes the size of a block: EINVAL, ENOMEM, ECHILD, EDEADLK, ENOTRECOVERABLE, and
    /// then it is as it was.
    ///
    /// # Safety
    ///
    /// Nobody uses the block meanwhile, nor its old address if it moved.
    pub unsafe fn realloc(&self, block: NonNull<u8>, size: usize) -> io::Result<NonNull<u8>> {
        // SAFETY: by the precondition.
        unsafe { self.heap.realloc(block, size) }
    }

    /// Bytes asked for when `block` was allocated. EINVAL, ECHILD.
    pub fn size_of(&self, block: NonNull<u8>) -> io::Result<usize> {
        self.heap.size(block)
    }

    /// Bytes in use, headers included. ECHILD, EDEADLK, ENOTRECOVERABLE.
    pub fn used(&self) -> io::Result<usize> {
        self.heap.used()
    }

    /// The state of the heap. ECHILD, EDEADLK, ENOTRECOVERABLE.
    pub fn stat(&self) -> io::Result<HeapStat> {
        self.heap.stat(false)
    }

    /// Bytes that a heap takes for itself, at most: see heap.rst.
    pub const OWN: u64 = heap::bound::OWN;

    /// Bytes that a block of `size` takes of a heap, its header and all rounding included.
    pub fn bytes_for(size: usize) -> usize {
        heap::bytes_for(size)
    }

    /// The bytes of a reserve in which nothing is refused in whatever order blocks are allocated,
    /// resized and freed, without alignments: for live blocks of so many bytes at the same time, as
    /// [`Self::bytes_for`] counts them, and requests of up to `largest`. See heap.rst.
    pub fn enough_for(live: u64, largest: u64) -> u64 {
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        heap::bound::suffices(live, heap::bytes_for(largest) as u64)
    }

    /// Keeps all others from changing what blocks there are, until [`Self::release`], or
    /// [`Self::adopt`] in the child.
    pub fn hold(&self) -> io::Result<Held> {
        self.heap.hold()
    }

    /// Ends what [`Self::hold`] began.
    ///
    /// # Safety
    ///
    /// `held` is what it returned to this thread, for the first time.
    pub unsafe fn release(&self, held: Held) {
        // SAFETY: by the precondition.
        unsafe { self.heap.release(held) };
    }

    /// Copies what is in use, and leaves holes where it is free.
    ///
    /// # Safety
    ///
    /// Between [`Self::hold`] and its end. `to` has [`Self::length`] zeroes, on pages.
    pub unsafe fn copy_to(&self, held: Held, to: *mut u8) {
        // SAFETY: by the precondition.
        unsafe { self.heap.copy_to(held, to) };
    }

    /// Makes it the heap of a forked child.
    ///
    /// # Safety
    ///
    /// The caller is the only thread of the child, before it allocates or frees, and after
    /// all handlers that this library installed; `held` is what [`Self::hold`] returned
    /// before the fork. A copy of its memory is where the memory was.
    pub unsafe fn adopt(&self, held: Held) -> io::Result<()> {
        // SAFETY: by the precondition.
        unsafe { self.heap.adopt(held) }
    }
}
