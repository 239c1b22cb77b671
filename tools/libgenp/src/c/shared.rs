// SPDX-License-Identifier: MIT OR Apache-2.0

//! Heaps that processes share.

use std::{
    ffi::{c_int, c_long, c_void},
    io,
    ptr::NonNull,
};

use super::{address, hand_out, heap, invalid, locate, part, set_errno, status};
use crate::{abi, shared::SharedStat, Partition};

/// Flag of `genp_create_shared()` and `genp_share_heap()`.
const NO_PI: u32 = 1;

impl heap::Sized32 for SharedStat {}

/// Whether the lock has priority inheritance: EINVAL for other flags.
fn inherits(flags: u32) -> io::Result<bool> {
    match flags & !NO_PI {
        0 => Ok(flags & NO_PI == 0),
        _ => Err(invalid()),
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_create_shared(
    request: *const abi::genp_create,
    flags: u32,
) -> *mut Partition {
    // SAFETY: null or readable, says the header.
    let request = unsafe { request.as_ref() }.copied().ok_or_else(invalid);
    hand_out(request.and_then(|request| Partition::create_shared(request, inherits(flags)?)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_share_heap(p: *mut Partition, flags: u32) -> c_int {
    // SAFETY: null or alive, and nobody else uses it meanwhile, says the header.
    let part = unsafe { p.as_mut() }.ok_or_else(invalid);
    status(part.and_then(|part| part.share_heap(inherits(flags)?)))
}

/// The partition of a block and the call for it.
unsafe fn with_block(
    block: *mut c_void,
    call: impl FnOnce(&Partition, NonNull<u8>) -> io::Result<()>,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { locate(block) }.and_then(|(part, block)| call(part, block)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_own(block: *mut c_void) -> c_int {
    // SAFETY: says the header.
    unsafe { with_block(block, Partition::own) }
}

#[no_mangle]
pub unsafe extern "C" fn genp_disown(block: *mut c_void) -> c_int {
    // SAFETY: says the header.
    unsafe { with_block(block, Partition::disown) }
}

#[no_mangle]
pub unsafe extern "C" fn genp_root(p: *const Partition) -> *mut u64 {
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| Ok(part.root()?.cast()))).cast()
}

#[no_mangle]
pub unsafe extern "C" fn genp_put(block: *mut c_void, slot: *mut u64) -> c_int {
    let slot = NonNull::new(slot).ok_or_else(invalid);
    // SAFETY: says the header.
    unsafe { with_block(block, |part, block| part.put(block, slot?)) }
}

#[no_mangle]
pub unsafe extern "C" fn genp_take(p: *mut Partition, slot: *mut u64) -> *mut c_void {
    let slot = NonNull::new(slot).ok_or_else(invalid);
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| part.take(slot?)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_free_dead(p: *mut Partition) -> c_long {
    // SAFETY: says the header.
    match unsafe { part(p) }.and_then(Partition::free_dead) {
        Ok(freed) => c_long::try_from(freed).unwrap_or(c_long::MAX),
        Err(error) => {
            set_errno(&error);
            -1
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_get_shared_stat(p: *const Partition, stat: *mut SharedStat) -> c_int {
    // SAFETY: says the header.
    status(
        unsafe { part(p) }.and_then(|part| unsafe { heap::hand_out(stat, || part.shared_stat()) }),
    )
}
