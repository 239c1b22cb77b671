// SPDX-License-Identifier: MIT OR Apache-2.0

//! Descriptors with fewer rights.

use std::{
    ffi::{c_char, c_int, CStr},
    os::fd::{IntoRawFd, OwnedFd},
};

use super::{hand_out, invalid, part, set_errno, status};
use crate::Partition;

#[no_mangle]
pub unsafe extern "C" fn genp_open_read_only(name: *const c_char) -> *mut Partition {
    if name.is_null() {
        return hand_out(Err(invalid()));
    }
    // SAFETY: a string that ends with zero, says the header.
    let name = unsafe { CStr::from_ptr(name) };
    let name = name.to_str().map_err(|_| invalid());
    hand_out(name.and_then(Partition::open_read_only))
}

#[no_mangle]
pub unsafe extern "C" fn genp_restrict(p: *const Partition, rights: u32) -> c_int {
    // SAFETY: says the header.
    match unsafe { part(p) }.and_then(|part| part.descriptor().restrict(rights)) {
        Ok(other) => OwnedFd::from(other).into_raw_fd(),
        Err(error) => {
            set_errno(&error);
            -1
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_rights(p: *const Partition, rights: *mut u32) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        // SAFETY: null or writable, says the header.
        *unsafe { rights.as_mut() }.ok_or_else(invalid)? = part.rights();
        Ok(())
    }))
}
