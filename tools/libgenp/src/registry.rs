// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the partition of an address that C code passes: a table of fixed size, so
//! that `genp_free()` takes a constant number of steps and never allocates.

use std::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::partition::Partition;

const PARTITIONS: usize = 64;

static TABLE: [AtomicPtr<Partition>; PARTITIONS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; PARTITIONS];

/// Registers a partition; false if the table is full.
pub(crate) fn register(part: *mut Partition) -> bool {
    TABLE.iter().any(|entry| {
        entry
            // Release: publishes the partition. Pairs with `find` and `first`.
            .compare_exchange(ptr::null_mut(), part, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    })
}

/// Removes a partition. No other thread may look it up any longer.
pub(crate) fn unregister(part: &Partition) {
    let part = ptr::from_ref(part).cast_mut();
    for entry in &TABLE {
        // Relaxed: the caller owns the partition, so no other thread looks it up.
        let _ = entry.compare_exchange(part, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The partition in the first entry: in most programs the only one.
///
/// # Safety
///
/// As for [`find`].
#[inline]
pub(crate) unsafe fn first<'a>() -> Option<&'a Partition> {
    // Acquire: pairs with `register`.
    // SAFETY: as in `find`.
    unsafe { TABLE[0].load(Ordering::Acquire).as_ref() }
}

/// The partition an address belongs to.
///
/// # Safety
///
/// No partition is destroyed while its memory is being freed or returned.
pub(crate) unsafe fn find<'a>(address: *const u8) -> Option<&'a Partition> {
    TABLE.iter().find_map(|entry| {
        // Acquire: pairs with `register`.
        let part = entry.load(Ordering::Acquire);
        // SAFETY: entered by `register` and, by the precondition, alive.
        let part = unsafe { part.as_ref()? };
        part.has(address).then_some(part)
    })
}
