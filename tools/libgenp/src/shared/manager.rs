// SPDX-License-Identifier: MIT OR Apache-2.0

//! The shared heap as a manager of a heap, by which all functions for blocks work with it.

use std::{
    ffi::{c_int, c_void},
    io, mem, ptr,
    ptr::NonNull,
    sync::Arc,
};

use super::Shared;
use crate::manager::Manager;

/// Its functions. Their heap is an `Arc<Shared>`; it is opened elsewhere.
pub(crate) static SHARED: Manager = Manager {
    size: mem::size_of::<Manager>() as u32,
    flags: 0,
    create: None,
    destroy: Some(destroy),
    alloc: Some(alloc),
    free: Some(free),
    usable: Some(usable),
    free_all: None,
    used: Some(used),
    resize: None,
};

unsafe extern "C" fn destroy(heap: *mut c_void) {
    // SAFETY: from `Arc::into_raw`, once.
    drop(unsafe { Arc::from_raw(heap.cast_const().cast::<Shared>()) });
}

/// Runs a call; what fails leaves an errno.
///
/// # Safety
///
/// Of `SHARED`, and not destroyed.
unsafe fn run<T>(
    heap: *mut c_void,
    otherwise: T,
    call: impl FnOnce(&Shared) -> io::Result<T>,
) -> T {
    // SAFETY: by the precondition.
    call(unsafe { &*heap.cast::<Shared>() }).unwrap_or_else(|error| {
        // SAFETY: the calling thread's own errno.
        unsafe { *libc::__errno_location() = error.raw_os_error().unwrap_or(libc::EIO) };
        otherwise
    })
}

/// The block at an address that a caller passed: EINVAL for none.
fn at(block: *mut c_void) -> io::Result<NonNull<u8>> {
    NonNull::new(block.cast()).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

unsafe extern "C" fn alloc(heap: *mut c_void, bytes: usize, align: usize) -> *mut c_void {
    let call = |heap: &Shared| Ok(heap.alloc(bytes, align)?.as_ptr().cast());
    // SAFETY: says the header.
    unsafe { run(heap, ptr::null_mut(), call) }
}

unsafe extern "C" fn free(heap: *mut c_void, block: *mut c_void) -> c_int {
    // SAFETY: says the header.
    unsafe { run(heap, -1, |heap| heap.free(at(block)?).map(|()| 0)) }
}

unsafe extern "C" fn usable(heap: *mut c_void, block: *mut c_void) -> usize {
    // SAFETY: says the header.
    unsafe { run(heap, 0, |heap| heap.usable(at(block)?)) }
}

unsafe extern "C" fn used(heap: *mut c_void) -> usize {
    // SAFETY: says the header.
    unsafe { run(heap, 0, Shared::used) }
}
