// SPDX-License-Identifier: MIT OR Apache-2.0

//! Heap managers that are chosen when a partition is created: a table of functions, as C
//! gives it, and the heap that they made. The heap of libgenp needs none.

mod arena;
mod crates;

pub use arena::ARENA;
pub use crates::{BUDDY, RLSF};

use std::{
    ffi::{c_int, c_void},
    io,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The functions of a heap manager: `struct genp_manager` of `genp/manager.h`, which says
/// what each of them does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Manager {
    /// Of this structure, in bytes.
    pub size: u32,
    /// 0.
    pub flags: u32,
    /// Begins a heap in memory.
    pub create: Option<unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void>,
    /// Ends it.
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    /// A block of at least so many bytes with an alignment.
    pub alloc: Option<unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void>,
    /// Frees a block.
    pub free: Option<unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int>,
    /// The bytes of a block.
    pub usable: Option<unsafe extern "C" fn(*mut c_void, *mut c_void) -> usize>,
    /// Frees all blocks.
    pub free_all: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    /// The bytes in use.
    pub used: Option<unsafe extern "C" fn(*mut c_void) -> usize>,
    /// Goes on with so many bytes.
    pub resize: Option<unsafe extern "C" fn(*mut c_void, usize) -> c_int>,
}

type Alloc = unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type Usable = unsafe extern "C" fn(*mut c_void, *mut c_void) -> usize;
type Used = unsafe extern "C" fn(*mut c_void) -> usize;

/// A heap with its manager.
pub(crate) struct Managed {
    heap: NonNull<c_void>,
    alloc: Alloc,
    free: Free,
    usable: Usable,
    used: Used,
    free_all: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    resize: Option<unsafe extern "C" fn(*mut c_void, usize) -> c_int>,
    length: AtomicUsize,
}

// SAFETY: a manager serves several threads, says the header.
unsafe impl Send for Managed {}
// SAFETY: as above.
unsafe impl Sync for Managed {}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

/// 0, or the error that a manager left.
fn status(answer: c_int) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Managed {
    /// A heap of this manager: EINVAL if it lacks a function, and its own errors.
    ///
    /// # Safety
    ///
    /// The functions do what the header says. The memory belongs to the heap.
    pub(crate) unsafe fn new(
        manager: &Manager,
        start: NonNull<u8>,
        length: usize,
    ) -> io::Result<Self> {
        let known = manager.size as usize == size_of::<Manager>() && manager.flags == 0;
        let create = manager.create.filter(|_| known).ok_or_else(invalid)?;
        // SAFETY: `destroy` is not there before there is a heap.
        let mut managed = unsafe { Self::begun(manager, NonNull::dangling(), length) }?;
        let destroy = managed.destroy.take();
        // SAFETY: by the precondition.
        let heap = unsafe { create(start.as_ptr().cast(), length) };
        managed.heap = NonNull::new(heap).ok_or_else(io::Error::last_os_error)?;
        managed.destroy = destroy;
        Ok(managed)
    }

    /// A heap that this manager gave: EINVAL if it lacks a function.
    ///
    /// # Safety
    ///
    /// As of [`Self::new`]; nobody else ends the heap.
    pub(crate) unsafe fn begun(
        manager: &Manager,
        heap: NonNull<c_void>,
        length: usize,
    ) -> io::Result<Self> {
        Ok(Self {
            heap,
            alloc: manager.alloc.ok_or_else(invalid)?,
            free: manager.free.ok_or_else(invalid)?,
            usable: manager.usable.ok_or_else(invalid)?,
            used: manager.used.ok_or_else(invalid)?,
            free_all: manager.free_all,
            destroy: manager.destroy,
            resize: manager.resize,
            length: AtomicUsize::new(length),
        })
    }

    /// Allocates: ENOMEM, and what the manager says.
    pub(crate) fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        // SAFETY: the manager's own heap.
        let block = unsafe { (self.alloc)(self.heap.as_ptr(), size, align.max(16)) };
        NonNull::new(block.cast()).ok_or_else(io::Error::last_os_error)
    }

    /// Frees.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        // SAFETY: by the precondition.
        status(unsafe { (self.free)(self.heap.as_ptr(), block.as_ptr().cast()) })
    }

    /// The bytes of a block, which are never 0.
    pub(crate) fn usable(&self, block: NonNull<u8>) -> io::Result<usize> {
        // SAFETY: a manager says what is no block.
        match unsafe { (self.usable)(self.heap.as_ptr(), block.as_ptr().cast()) } {
            0 => Err(io::Error::last_os_error()),
            bytes => Ok(bytes),
        }
    }

    /// Changes the size of a block, by a copy if it has too few bytes.
    ///
    /// # Safety
    ///
    /// Nobody uses the block meanwhile, nor its old address if it moved.
    pub(crate) unsafe fn realloc(
        &self,
        block: NonNull<u8>,
        size: usize,
    ) -> io::Result<NonNull<u8>> {
        let old = self.usable(block)?;
        if size <= old {
            return Ok(block);
        }
        // Whatever alignment it was asked for, its address has that or more.
        let align = 1 << (block.as_ptr() as usize).trailing_zeros().min(12);
        let new = self.alloc(size, align)?;
        // SAFETY: two blocks, of at least that many bytes.
        unsafe { new.copy_from_nonoverlapping(block, old) };
        // SAFETY: by the precondition.
        unsafe { self.free(block) }?;
        Ok(new)
    }

    /// Frees all blocks: ENOTSUP if the manager cannot.
    ///
    /// # Safety
    ///
    /// Nobody uses a block, nor the heap meanwhile.
    pub(crate) unsafe fn free_all(&self) -> io::Result<()> {
        let none = || io::Error::from_raw_os_error(libc::ENOTSUP);
        // SAFETY: by the precondition.
        status(unsafe { self.free_all.ok_or_else(none)?(self.heap.as_ptr()) })
    }

    /// The bytes in use, and those there are.
    pub(crate) fn used(&self) -> (usize, usize) {
        // SAFETY: the manager's own heap.
        let used = unsafe { (self.used)(self.heap.as_ptr()) };
        // Relaxed: a figure.
        (used, self.length.load(Ordering::Relaxed))
    }

    /// Goes on with the first `length` bytes of its memory: EOPNOTSUPP if the manager cannot,
    /// EBUSY if a block lies beyond. One caller at a time.
    ///
    /// # Safety
    ///
    /// So many bytes belong to the heap.
    pub(crate) unsafe fn resize(&self, length: usize) -> io::Result<()> {
        let none = || io::Error::from_raw_os_error(libc::EOPNOTSUPP);
        // SAFETY: by the precondition.
        status(unsafe { self.resize.ok_or_else(none)?(self.heap.as_ptr(), length) })?;
        self.length.store(length, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: from its own `create`, once.
            unsafe { destroy(self.heap.as_ptr()) };
        }
    }
}
