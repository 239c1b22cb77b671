// SPDX-License-Identifier: MIT OR Apache-2.0

//! Blocks that were freed in signal handlers which could not have the lock.

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};

use genp::Arena;

/// The first of them. The first word of each is the next one.
static LATER: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Leaves a block to the next call that can have the lock.
///
/// # Safety
///
/// A live block, which nobody uses any longer.
pub unsafe fn leave(block: NonNull<u8>) {
    let block = block.as_ptr().cast::<c_void>();
    let mut first = LATER.load(Ordering::Relaxed);
    loop {
        // SAFETY: by the precondition; a block has 16 bytes at least.
        unsafe { block.cast::<*mut c_void>().write(first) };
        // Release: pairs with `free_all`.
        match LATER.compare_exchange(first, block, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => first = other,
        }
    }
}

/// Frees what handlers left.
pub fn free_all(arena: &Arena) {
    if LATER.load(Ordering::Relaxed).is_null() {
        return;
    }
    // Acquire: pairs with `leave`.
    let mut next = LATER.swap(ptr::null_mut(), Ordering::Acquire);
    while let Some(block) = NonNull::new(next.cast::<u8>()) {
        // SAFETY: written by `leave`.
        next = unsafe { block.cast::<*mut c_void>().read() };
        // SAFETY: says `leave`; nobody else took it.
        if unsafe { arena.free(block) }.is_err() {
            // SAFETY: as above.
            unsafe { leave(block) };
        }
    }
}
