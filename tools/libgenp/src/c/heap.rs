// SPDX-License-Identifier: MIT OR Apache-2.0

//! The heap as a whole, and the threads that use it.

use std::{
    ffi::c_int,
    io,
    ptr::{self, NonNull},
};

use super::{invalid, part, status};
use crate::{
    heap::{ClassStat, HeapStat},
    thread, Partition,
};

/// Flag of `genp_get_heap_stat()`.
const RESET_PEAK: u32 = 1;

/// A structure that begins with its size.
pub(super) trait Sized32: Copy {}
impl Sized32 for HeapStat {}
impl Sized32 for ClassStat {}
impl Sized32 for crate::pool::PoolStat {}

/// Hands a structure out, as much of it as the caller knows: EINVAL if that is not even its
/// size.
///
/// # Safety
///
/// `to` is null, or has a size and that many bytes.
pub(super) unsafe fn hand_out<T: Sized32>(
    to: *mut T,
    fill: impl FnOnce() -> io::Result<T>,
) -> io::Result<()> {
    let to = NonNull::new(to).ok_or_else(invalid)?;
    // SAFETY: by the precondition.
    let known = unsafe { to.cast::<u32>().read() } as usize;
    if known < size_of::<u32>() {
        return Err(invalid());
    }
    let found = fill()?;
    let bytes = known.min(size_of::<T>());
    // SAFETY: by the precondition. What the caller knows besides is not there.
    unsafe {
        let to = to.as_ptr().cast::<u8>();
        ptr::copy_nonoverlapping(ptr::from_ref(&found).cast(), to, bytes);
        to.add(bytes).write_bytes(0, known - bytes);
        to.cast::<u32>().write(known as u32);
    }
    Ok(())
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_heap_stat(
    p: *const Partition,
    flags: u32,
    stat: *mut HeapStat,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        if flags & !RESET_PEAK != 0 {
            return Err(invalid());
        }
        // SAFETY: says the header.
        unsafe { hand_out(stat, || part.heap().stat(flags & RESET_PEAK != 0)) }
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_class_stat(
    p: *const Partition,
    class: u32,
    stat: *mut ClassStat,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        // SAFETY: says the header.
        unsafe { hand_out(stat, || part.heap().class_stat(class as usize)) }
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_free_all(p: *mut Partition) -> c_int {
    // SAFETY: says the header, also that nobody else uses the heap.
    status(unsafe { part(p) }.and_then(|part| unsafe { part.heap().free_all() }))
}

#[no_mangle]
pub extern "C" fn genp_thread_attach() -> c_int {
    match thread::attach() {
        true => 0,
        false => status(Err(io::Error::from_raw_os_error(libc::EAGAIN))),
    }
}
