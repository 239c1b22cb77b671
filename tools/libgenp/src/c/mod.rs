// SPDX-License-Identifier: MIT OR Apache-2.0

//! The C API; the headers of `include/genp` document each function.

#![allow(clippy::missing_safety_doc)] // The header states the preconditions.

mod block;
mod events;
mod heap;
mod manager;
mod pool;
mod rights;
mod shared;

use std::{
    ffi::{c_char, c_int, c_long, c_void, CStr},
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr::{self, NonNull},
    time::Duration,
};

use crate::{abi, list, process, registry, system, Partition};

/// Sets errno.
fn set_errno(error: &io::Error) {
    // SAFETY: the calling thread's own errno.
    unsafe { *libc::__errno_location() = error.raw_os_error().unwrap_or(libc::EIO) };
}

/// 0, or -1 and errno.
fn status(result: io::Result<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            set_errno(&error);
            -1
        }
    }
}

/// The address, or NULL and errno.
fn address(result: io::Result<NonNull<u8>>) -> *mut c_void {
    match result {
        Ok(address) => address.as_ptr().cast(),
        Err(error) => {
            set_errno(&error);
            ptr::null_mut()
        }
    }
}

/// Hands a partition to C.
fn hand_out(result: io::Result<Partition>) -> *mut Partition {
    let entered = result.and_then(|part| {
        let part = Box::into_raw(Box::new(part));
        if registry::register(part) {
            return Ok(part);
        }
        // SAFETY: made above and given to nobody.
        drop(unsafe { Box::from_raw(part) });
        Err(io::Error::from_raw_os_error(libc::EMFILE))
    });
    match entered {
        Ok(part) => part,
        Err(error) => {
            set_errno(&error);
            ptr::null_mut()
        }
    }
}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

/// The partition behind a pointer of C's.
unsafe fn part<'a>(part: *const Partition) -> io::Result<&'a Partition> {
    // SAFETY: null, or from `hand_out` and not destroyed yet, says the header.
    unsafe { part.as_ref() }.ok_or_else(invalid)
}

/// The partition a block or a lease is in, and its address.
unsafe fn locate<'a>(block: *mut c_void) -> io::Result<(&'a Partition, NonNull<u8>)> {
    let block = NonNull::new(block.cast::<u8>()).ok_or_else(invalid)?;
    // SAFETY: says the header.
    let part = unsafe { registry::find(block.as_ptr()) }?;
    Ok((part, block))
}

#[no_mangle]
pub extern "C" fn genp_create(reserve: usize, borrow_limit: usize) -> *mut Partition {
    hand_out(Partition::create(reserve, borrow_limit))
}

#[no_mangle]
pub unsafe extern "C" fn genp_create_from(request: *const abi::genp_create) -> *mut Partition {
    // SAFETY: null or readable, says the header.
    let request = unsafe { request.as_ref() }.copied().ok_or_else(invalid);
    hand_out(request.and_then(Partition::create_from))
}

#[no_mangle]
pub unsafe extern "C" fn genp_open(name: *const c_char) -> *mut Partition {
    if name.is_null() {
        return hand_out(Err(invalid()));
    }
    // SAFETY: a string that ends with zero, says the header.
    let name = unsafe { CStr::from_ptr(name) };
    hand_out(
        name.to_str()
            .map_err(|_| invalid())
            .and_then(Partition::open),
    )
}

#[no_mangle]
pub unsafe extern "C" fn genp_from_fd(fd: c_int) -> *mut Partition {
    if fd < 0 {
        return hand_out(Err(io::Error::from_raw_os_error(libc::EBADF)));
    }
    // SAFETY: the caller gives the descriptor away, says the header.
    hand_out(Partition::from_fd(unsafe { OwnedFd::from_raw_fd(fd) }))
}

#[no_mangle]
pub extern "C" fn genp_inherited() -> *mut Partition {
    hand_out(Partition::inherited())
}

#[no_mangle]
pub unsafe extern "C" fn genp_destroy(part: *mut Partition) -> c_int {
    if part.is_null() {
        return status(Err(invalid()));
    }
    // SAFETY: from `hand_out`, given back once, says the header.
    let process = unsafe { (*part).process() };
    if !process.has_forked() && !process.is_current() {
        // Of the parent, whose memory this may be: vfork() shares it.
        return status(Err(process::not_ours()));
    }
    // SAFETY: as above; the memory is that of the caller, of its parent's at most a copy.
    let part = unsafe { Box::from_raw(part) };
    registry::unregister(&part);
    let manages = part.rights() & abi::GENP_RIGHT_MANAGE != 0;
    if !part.is_creator() || !manages || process.has_forked() {
        return 0;
    }
    match part.descriptor().destroy() {
        // Another process destroyed it first.
        Err(error) if error.raw_os_error() == Some(libc::EIDRM) => 0,
        result => status(result),
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_alloc(p: *mut Partition, size: usize) -> *mut c_void {
    // SAFETY: null or alive, says the header.
    let Some(part) = (unsafe { p.as_ref() }) else {
        return no_partition();
    };
    match part.heap().cached_alloc(size) {
        Some(block) => block.as_ptr().cast(),
        None => slow_alloc(part, size),
    }
}

#[cold]
fn no_partition() -> *mut c_void {
    address(Err(invalid()))
}

/// The slow path of [`genp_alloc`]: the thread cache has no block. A function of its
/// own, so that the fast path has no more instructions than it needs.
#[cold]
fn slow_alloc(part: &Partition, size: usize) -> *mut c_void {
    address(part.heap().slow_alloc(size))
}

#[no_mangle]
pub unsafe extern "C" fn genp_aligned_alloc(
    p: *mut Partition,
    align: usize,
    size: usize,
) -> *mut c_void {
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| part.alloc(size, align)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_calloc(p: *mut Partition, count: usize, size: usize) -> *mut c_void {
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| {
        let total = count
            .checked_mul(size)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let block = part.alloc(total, 16)?;
        // SAFETY: just allocated.
        unsafe { block.write_bytes(0, total) };
        Ok(block)
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: says the header.
    let located = unsafe { locate(block) };
    // SAFETY: says the header.
    address(located.and_then(|(part, block)| unsafe { part.realloc(block, size) }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_free(block: *mut c_void) -> c_int {
    let Some(start) = NonNull::new(block.cast::<u8>()) else {
        return 0;
    };
    // SAFETY: says the header.
    match unsafe { registry::first_with(start.as_ptr()) } {
        // SAFETY: says the header.
        Some(part) if unsafe { part.heap().cached_free(start) } => 0,
        // SAFETY: says the header.
        first => unsafe { slow_free(first, start) },
    }
}

/// The slow path of [`genp_free`]: the thread cache is full, or the block is not of
/// the first partition. A function of its own, as [`slow_alloc`].
#[cold]
unsafe fn slow_free(first: Option<&Partition>, block: NonNull<u8>) -> c_int {
    if let Some(part) = first.filter(|part| part.heap().has(block)) {
        // SAFETY: says the header.
        return status(unsafe { part.heap().slow_free(block) });
    }
    // SAFETY: says the header.
    let located = unsafe { locate(block.as_ptr().cast()) };
    // SAFETY: says the header.
    status(located.and_then(|(part, block)| unsafe { part.free(block) }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_borrow(
    p: *mut Partition,
    size: usize,
    timeout_ms: c_long,
) -> *mut c_void {
    let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| Ok(part.borrow(size, timeout)?.start)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_borrow_until(
    p: *mut Partition,
    size: usize,
    deadline: u64,
    lease_ns: u64,
    reasons: u32,
    expires: *mut u64,
) -> *mut c_void {
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| {
        let lease = part.borrow_until(size, deadline, lease_ns, reasons)?;
        if !expires.is_null() {
            // SAFETY: writable, says the header.
            unsafe { *expires = lease.expires };
        }
        Ok(lease.start)
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_return(lease: *mut c_void) -> c_int {
    // SAFETY: says the header.
    status(unsafe { locate(lease) }.and_then(|(part, start)| part.give_back_at(start)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_renew(lease: *mut c_void, lease_ns: u64, expires: *mut u64) -> c_int {
    // SAFETY: says the header.
    status(unsafe { locate(lease) }.and_then(|(part, start)| {
        let until = part.renew(start, lease_ns)?;
        if !expires.is_null() {
            // SAFETY: writable, says the header.
            unsafe { *expires = until };
        }
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_partition_fd(p: *const Partition) -> c_int {
    // SAFETY: says the header.
    match unsafe { part(p) } {
        Ok(part) => part.fd().as_raw_fd(),
        Err(error) => status(Err(error)),
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_stat(p: *const Partition, stat: *mut abi::genp_stat) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        // SAFETY: null or writable, says the header.
        *unsafe { stat.as_mut() }.ok_or_else(invalid)? = part.stat()?;
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_bounds(
    p: *const Partition,
    bounds: *mut abi::genp_bounds,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        // SAFETY: null or writable, says the header.
        *unsafe { bounds.as_mut() }.ok_or_else(invalid)? = part.bounds()?;
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_info(info: *mut abi::genp_info) -> c_int {
    status(system::info().and_then(|found| {
        // SAFETY: null or writable, says the header.
        *unsafe { info.as_mut() }.ok_or_else(invalid)? = found;
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_list_next(partition: *mut abi::genp_list) -> c_int {
    // SAFETY: null or writable, says the header.
    let found = unsafe { partition.as_mut() }
        .ok_or_else(invalid)
        .and_then(|to| Ok((list::partition_behind(to.cursor)?, to)));
    match found {
        Ok((Some(listed), to)) => {
            *to = listed;
            1
        }
        Ok((None, _)) => 0,
        Err(error) => status(Err(error)),
    }
}
