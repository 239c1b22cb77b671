// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which partition an address of C code belongs to: a fixed table, so that
//! `genp_free()` takes a constant number of steps and never allocates.

use std::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::Partition;

const PARTITIONS: usize = 64;

static TABLE: [AtomicPtr<Partition>; PARTITIONS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; PARTITIONS];

/// Enters a partition; false if the table is full.
pub(crate) fn enter(part: *mut Partition) -> bool {
    TABLE.iter().any(|place| {
        place
            // Release: the partition was written before. Pairs with `find`.
            .compare_exchange(ptr::null_mut(), part, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    })
}

/// Removes a partition, which nobody looks for any longer.
pub(crate) fn forget(part: &Partition) {
    let part = ptr::from_ref(part).cast_mut();
    for place in &TABLE {
        // Relaxed: the caller owns the partition, so nobody else looks for it.
        let _ = place.compare_exchange(part, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The partition that was entered first: of most programs, the only one.
///
/// # Safety
///
/// As for [`find`].
#[inline]
pub(crate) unsafe fn first<'a>() -> Option<&'a Partition> {
    // Acquire: pairs with `enter`.
    // SAFETY: as in `find`.
    unsafe { TABLE[0].load(Ordering::Acquire).as_ref() }
}

/// The partition an address belongs to.
///
/// # Safety
///
/// No partition is destroyed while its memory is being freed or returned.
pub(crate) unsafe fn find<'a>(address: *const u8) -> Option<&'a Partition> {
    TABLE.iter().find_map(|place| {
        // Acquire: pairs with `enter`.
        let part = place.load(Ordering::Acquire);
        // SAFETY: entered by `enter` and, by the precondition, alive.
        let part = unsafe { part.as_ref()? };
        part.has(address).then_some(part)
    })
}
