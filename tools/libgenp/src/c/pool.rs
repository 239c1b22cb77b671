// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pools of objects.

use std::{
    ffi::{c_int, c_void},
    io,
    ptr::{self, NonNull},
};

use super::{address, heap::hand_out, invalid, part, set_errno, status};
use crate::{
    pool::{Pool, PoolRequest, PoolStat},
    Partition,
};

/// Flag of `genp_pool_create()`.
const GROW: u32 = 1;

#[no_mangle]
pub unsafe extern "C" fn genp_pool_create(
    p: *mut Partition,
    object: usize,
    align: usize,
    objects: usize,
    flags: u32,
) -> *mut Pool<'static> {
    let request = PoolRequest {
        object,
        align,
        objects,
        grows: flags & GROW != 0,
    };
    // SAFETY: says the header, also that the partition outlives the pool.
    let made = unsafe { part(p) }.and_then(|part| match flags & !GROW {
        0 => Pool::new(part, request),
        _ => Err(invalid()),
    });
    match made {
        Ok(pool) => Box::into_raw(Box::new(pool)),
        Err(error) => {
            set_errno(&error);
            ptr::null_mut()
        }
    }
}

/// The pool behind a pointer of C's.
///
/// # Safety
///
/// Null, or from `genp_pool_create()` and not destroyed yet.
unsafe fn pool<'a>(pool: *const Pool<'static>) -> io::Result<&'a Pool<'static>> {
    // SAFETY: by the precondition.
    unsafe { pool.as_ref() }.ok_or_else(invalid)
}

#[no_mangle]
pub unsafe extern "C" fn genp_pool_alloc(p: *mut Pool<'static>) -> *mut c_void {
    // SAFETY: says the header.
    address(unsafe { pool(p) }.and_then(Pool::alloc))
}

#[no_mangle]
pub unsafe extern "C" fn genp_pool_free(p: *mut Pool<'static>, object: *mut c_void) -> c_int {
    // SAFETY: says the header.
    status(unsafe { pool(p) }.and_then(|pool| {
        match NonNull::new(object.cast::<u8>()) {
            None => Ok(()),
            // SAFETY: says the header.
            Some(object) => unsafe { pool.free(object) },
        }
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_pool_get_stat(p: *const Pool<'static>, stat: *mut PoolStat) -> c_int {
    // SAFETY: says the header.
    status(unsafe { pool(p) }.and_then(|pool| unsafe { hand_out(stat, || pool.stat()) }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_pool_destroy(p: *mut Pool<'static>) -> c_int {
    // SAFETY: says the header.
    let idle = unsafe { pool(p) }.and_then(Pool::is_idle);
    match idle {
        Ok(true) => {}
        Ok(false) => return status(Err(io::Error::from_raw_os_error(libc::EBUSY))),
        // What is left of it in a child is the child's.
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {}
        Err(error) => return status(Err(error)),
    }
    // SAFETY: from `genp_pool_create`, given back once, says the header.
    drop(unsafe { Box::from_raw(p) });
    0
}
