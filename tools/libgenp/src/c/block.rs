// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is asked about blocks, and several of them at a time.

use std::{
    ffi::{c_int, c_void},
    ptr::{self, NonNull},
    slice,
};

use super::{address, invalid, locate, part, set_errno, status};
use crate::{registry, Partition};

/// A number, or 0 and errno.
fn number(result: std::io::Result<usize>) -> usize {
    result.unwrap_or_else(|error| {
        set_errno(&error);
        0
    })
}

#[no_mangle]
pub unsafe extern "C" fn genp_usable_size(block: *const c_void) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: says the header.
    number(unsafe { locate(block.cast_mut()) }.and_then(|(part, block)| part.usable(block)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_size(block: *const c_void) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: says the header.
    number(unsafe { locate(block.cast_mut()) }.and_then(|(part, block)| part.size_of(block)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_realloc_in_place(block: *mut c_void, size: usize) -> c_int {
    // SAFETY: says the header.
    status(unsafe { locate(block) }.and_then(|(part, block)| part.realloc_in_place(block, size)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_is_block(block: *const c_void) -> c_int {
    // SAFETY: says the header.
    let located = unsafe { locate(block.cast_mut()) };
    c_int::from(located.is_ok_and(|(part, block)| part.size_of(block).is_ok()))
}

#[no_mangle]
pub unsafe extern "C" fn genp_has(p: *const Partition, address: *const c_void) -> c_int {
    // SAFETY: null or alive, says the header.
    let part = unsafe { p.as_ref() };
    c_int::from(part.is_some_and(|part| part.has(address.cast())))
}

#[no_mangle]
pub unsafe extern "C" fn genp_partition_of(address: *const c_void) -> *mut Partition {
    // SAFETY: says the header.
    match unsafe { registry::find(address.cast()) } {
        Ok(part) => ptr::from_ref(part).cast_mut(),
        Err(error) => {
            set_errno(&error);
            ptr::null_mut()
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_reserve(p: *const Partition, length: *mut usize) -> *mut c_void {
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| {
        let (start, bytes) = part.reserve()?;
        // SAFETY: null or writable, says the header.
        if let Some(length) = unsafe { length.as_mut() } {
            *length = bytes;
        }
        Ok(start)
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_offset(
    p: *const Partition,
    address: *const c_void,
    offset: *mut u64,
) -> c_int {
    // SAFETY: says the header.
    status(unsafe { part(p) }.and_then(|part| {
        let found = part.offset_of(address.cast())?;
        // SAFETY: null or writable, says the header.
        *unsafe { offset.as_mut() }.ok_or_else(invalid)? = found;
        Ok(())
    }))
}

#[no_mangle]
pub unsafe extern "C" fn genp_at(p: *const Partition, offset: u64, length: usize) -> *mut c_void {
    // SAFETY: says the header.
    address(unsafe { part(p) }.and_then(|part| part.at(offset, length)))
}

#[no_mangle]
pub unsafe extern "C" fn genp_alloc_batch(
    p: *mut Partition,
    size: usize,
    count: usize,
    blocks: *mut *mut c_void,
) -> usize {
    let Some(blocks) = NonNull::new(blocks).filter(|_| count > 0) else {
        return number(if count > 0 { Err(invalid()) } else { Ok(0) });
    };
    // SAFETY: says the header.
    let part = match unsafe { part(p) } {
        Ok(part) => part,
        Err(error) => return number(Err(error)),
    };
    // SAFETY: room for that many, says the header; any bytes are pointers.
    let blocks = unsafe { slice::from_raw_parts_mut(blocks.as_ptr(), count) };
    let (done, result) = part.heap().alloc_batch(size, blocks);
    if let Err(error) = result {
        set_errno(&error);
    }
    done
}

#[no_mangle]
pub unsafe extern "C" fn genp_free_batch(
    p: *mut Partition,
    count: usize,
    blocks: *const *mut c_void,
) -> usize {
    if blocks.is_null() || count == 0 {
        return number(if count > 0 { Err(invalid()) } else { Ok(0) });
    }
    // SAFETY: says the header.
    let part = match unsafe { part(p) } {
        Ok(part) => part,
        Err(error) => return number(Err(error)),
    };
    // SAFETY: that many, says the header.
    let blocks = unsafe { slice::from_raw_parts(blocks, count) };
    // SAFETY: says the header.
    let (done, result) = unsafe { part.heap().free_batch(blocks) };
    if let Err(error) = result {
        set_errno(&error);
    }
    done
}
