// SPDX-License-Identifier: MIT OR Apache-2.0

//! The functions that programs call.

#![allow(clippy::missing_safety_doc, reason = "they are those of the C library")]

use std::{
    ffi::{c_int, c_void},
    ptr::{self, NonNull},
};

use genp::system::page_size;

use crate::{
    next,
    serve::{self, no_memory, set_errno, ALIGN},
};

#[no_mangle]
pub unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    match serve::unseen().and_then(|arena| arena.cached_alloc(size)) {
        Some(block) => block.as_ptr().cast(),
        None => serve::alloc(size, ALIGN),
    }
}

#[no_mangle]
pub unsafe extern "C" fn free(block: *mut c_void) {
    let (Some(start), Some(arena)) = (NonNull::new(block.cast::<u8>()), serve::unseen()) else {
        // SAFETY: says the caller.
        return if !block.is_null() {
            unsafe { serve::free(block) }
        };
    };
    // SAFETY: says the caller.
    if !(arena.has(start.as_ptr()) && unsafe { arena.cached_free(start) }) {
        // SAFETY: says the caller.
        unsafe { serve::free(block) };
    }
}

#[no_mangle]
pub unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let Some(total) = count.checked_mul(size) else {
        return no_memory();
    };
    if serve::started() && serve::serving().is_none() {
        // SAFETY: found at the start.
        return unsafe { next::calloc(count, size) };
    }
    // SAFETY: has no precondition.
    let block = unsafe { malloc(total) };
    // Early memory is zeroes, and memset() may not be there yet.
    if serve::started() && !block.is_null() {
        // SAFETY: just allocated.
        unsafe { block.write_bytes(0, total) };
    }
    block
}

#[no_mangle]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    match block.is_null() {
        // SAFETY: has no precondition.
        true => unsafe { malloc(size) },
        // SAFETY: says the caller.
        false => unsafe { serve::realloc(block, size) },
    }
}

#[no_mangle]
pub unsafe extern "C" fn reallocarray(
    block: *mut c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: says the caller.
        Some(total) => unsafe { realloc(block, total) },
        None => no_memory(),
    }
}

/// Aligned to a power of two.
fn aligned(align: usize, size: usize) -> *mut c_void {
    match align <= ALIGN {
        // SAFETY: has no precondition.
        true => unsafe { malloc(size) },
        false => serve::alloc(size, align),
    }
}

#[no_mangle]
pub unsafe extern "C" fn posix_memalign(to: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || align % size_of::<usize>() != 0 {
        return libc::EINVAL;
    }
    let block = aligned(align, size);
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: says the caller.
    unsafe { *to = block };
    0
}

/// NULL with EINVAL.
fn invalid() -> *mut c_void {
    if serve::started() {
        set_errno(libc::EINVAL);
    }
    ptr::null_mut()
}

#[no_mangle]
pub unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    match align.is_power_of_two() {
        true => aligned(align, size),
        false => invalid(),
    }
}

/// As in the C library, an alignment that is no power of two is rounded up to one.
#[no_mangle]
pub unsafe extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    match align.max(1).checked_next_power_of_two() {
        Some(align) => aligned(align, size),
        None => invalid(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
    aligned(page_size(), size)
}

#[no_mangle]
pub unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
    let page = page_size();
    match size.max(1).checked_next_multiple_of(page) {
        Some(whole) => aligned(page, whole),
        None => no_memory(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    match block.is_null() {
        true => 0,
        // SAFETY: says the caller.
        false => unsafe { serve::usable_size(block) },
    }
}

/// Nothing can be given back to the kernel but what libc has.
#[no_mangle]
pub unsafe extern "C" fn malloc_trim(pad: usize) -> c_int {
    match serve::started() {
        // SAFETY: found at the start.
        true => unsafe { next::trim(pad) },
        false => 0,
    }
}

/// For what libc serves; the heap has nothing to be chosen.
#[no_mangle]
pub unsafe extern "C" fn mallopt(which: c_int, value: c_int) -> c_int {
    match serve::started() {
        // SAFETY: found at the start.
        true => unsafe { next::mallopt(which, value) },
        false => 1,
    }
}

/// The same functions under other names.
macro_rules! also {
    ($($name:ident = $same:ident ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(#[no_mangle]
        pub unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: as of the other name.
            unsafe { $same($($argument),*) }
        })*
    };
}

also! {
    cfree = free(block: *mut c_void);
    __libc_malloc = malloc(size: usize) -> *mut c_void;
    __libc_calloc = calloc(count: usize, size: usize) -> *mut c_void;
    __libc_realloc = realloc(block: *mut c_void, size: usize) -> *mut c_void;
    __libc_free = free(block: *mut c_void);
    __libc_memalign = memalign(align: usize, size: usize) -> *mut c_void;
    __libc_valloc = valloc(size: usize) -> *mut c_void;
    __libc_pvalloc = pvalloc(size: usize) -> *mut c_void;
}

/// C23: the size is known to the caller.
#[no_mangle]
pub unsafe extern "C" fn free_sized(block: *mut c_void, _size: usize) {
    // SAFETY: says the caller.
    unsafe { free(block) };
}

/// C23: the size and the alignment are known to the caller.
#[no_mangle]
pub unsafe extern "C" fn free_aligned_sized(block: *mut c_void, _align: usize, _size: usize) {
    // SAFETY: says the caller.
    unsafe { free(block) };
}
