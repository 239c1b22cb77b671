// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the partition of an address that C code passes: in a table of fixed size and, if
//! it is not the first one there, by an index of their mappings. A constant number of
//! steps, and no allocation.

mod index;

use std::{
    io, ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::{
    fork::{self, Step},
    partition::Partition,
    process,
};

const PARTITIONS: usize = 64;

static TABLE: [AtomicPtr<Partition>; PARTITIONS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; PARTITIONS];

/// Partitions of the process that forked this one: until they are destroyed here, to
/// tell their addresses from nonsense.
static INHERITED: [AtomicPtr<Partition>; PARTITIONS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; PARTITIONS];

/// Registers a partition; false if the table is full.
pub(crate) fn register(part: *mut Partition) -> bool {
    fork::set_step(Step::Partitions, &(disown_all as fn()));
    let entered = TABLE.iter().any(|entry| {
        entry
            // Release: publishes the partition. Pairs with `find` and `first`.
            .compare_exchange(ptr::null_mut(), part, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    });
    // SAFETY: says the caller of `find`; ours is alive.
    unsafe { index::make(&TABLE) };
    entered
}

/// Removes a partition. No other thread may look it up any longer.
pub(crate) fn unregister(part: &Partition) {
    let part = ptr::from_ref(part).cast_mut();
    for entry in TABLE.iter().chain(&INHERITED) {
        // Relaxed: the caller owns the partition, so no other thread looks it up.
        let _ = entry.compare_exchange(part, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed);
    }
    // SAFETY: as of `register`.
    unsafe { index::make(&TABLE) };
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

/// Makes all partitions inherited ones. More of them than the table holds are forgotten.
/// Context: a forked child, before it uses one.
fn disown_all() {
    let mut free = INHERITED
        .iter()
        .filter(|entry| entry.load(Ordering::Relaxed).is_null());
    for entry in &TABLE {
        let part = entry.swap(ptr::null_mut(), Ordering::Relaxed);
        if part.is_null() {
            continue;
        }
        if let Some(to) = free.next() {
            to.store(part, Ordering::Relaxed);
        }
    }
    index::forget();
}

/// The partition an address belongs to: EINVAL if there is none, ECHILD for one of the
/// parent's, whose addresses others of our own can have meanwhile.
///
/// # Safety
///
/// No partition is destroyed while its memory is being freed or returned.
pub(crate) unsafe fn find<'a>(address: *const u8) -> io::Result<&'a Partition> {
    let with = |entry: &AtomicPtr<Partition>| {
        // Acquire: pairs with `register`.
        let part = entry.load(Ordering::Acquire);
        // SAFETY: entered by `register` and, by the precondition, alive.
        let part = unsafe { part.as_ref()? };
        part.has(address).then_some(part)
    };
    if let Some(part) = index::find(address as usize) {
        // SAFETY: it was in the table, and is alive by the precondition.
        return Ok(unsafe { &*part });
    }
    match TABLE.iter().find_map(with) {
        Some(part) => Ok(part),
        None if INHERITED.iter().find_map(with).is_some() => Err(process::not_ours()),
        None => Err(io::Error::from_raw_os_error(libc::EINVAL)),
    }
}
