// SPDX-License-Identifier: MIT OR Apache-2.0

//! Names, limits and events of a partition, and how long its calls took.

use std::ffi::{c_char, c_int, CStr};

use super::{hand_out, invalid, part, status};
use crate::{abi, name_field, Partition};

#[no_mangle]
pub unsafe extern "C" fn genp_create_named(
    name: *const c_char,
    reserve: usize,
    borrow_limit: usize,
) -> *mut Partition {
    if name.is_null() {
        return hand_out(Err(invalid()));
    }
    // SAFETY: a string that ends with zero, says the header.
    let name = unsafe { CStr::from_ptr(name) };
    let field = name.to_str().map_err(|_| invalid()).and_then(name_field);
    hand_out(field.and_then(|field| Partition::create_named(field, reserve, borrow_limit)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_name(p: *const Partition, name: *mut c_char) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        // SAFETY: null, or room for one, says the header.
        let to = unsafe {
            name.cast::<[c_char; abi::GENP_NAME_SIZE as usize]>()
                .as_mut()
        };
        *to.ok_or_else(invalid)? = part.stat()?.name;
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_create_resizable(
    request: *const abi::genp_create,
    most: usize,
) -> *mut Partition {
    // SAFETY: null or readable, says the header.
    let request = unsafe { request.as_ref() }.copied().ok_or_else(invalid);
    hand_out(request.and_then(|request| Partition::create_resizable(request, most)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_resize(p: *mut Partition, bytes: usize) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| part.resize(bytes)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_set_borrow_limit(p: *mut Partition, bytes: u64) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| part.set_borrow_limit(bytes)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_set_eventfd(p: *mut Partition, fd: c_int, mask: u32) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| part.set_eventfd(fd, mask)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_wait_event(
    p: *mut Partition,
    event: *mut abi::genp_event,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        // SAFETY: null or writable, says the header.
        let to = unsafe { event.as_mut() }.ok_or_else(invalid)?;
        *to = part.wait_event(timeout_ms)?;
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_histogram(
    p: *const Partition,
    op: u32,
    counts: *mut u64,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        const BUCKETS: usize = abi::GENP_HISTOGRAM_BUCKETS as usize;
        // SAFETY: null, or room for as many, says the header.
        let to = unsafe { counts.cast::<[u64; BUCKETS]>().as_mut() };
        *to.ok_or_else(invalid)? = part.histogram(op)?;
        Ok(())
    }))
}
