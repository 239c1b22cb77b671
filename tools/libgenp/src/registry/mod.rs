// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the partition of an address that C code passes: in a table of fixed size and, if
//! it is not the first one there, by an index of their mappings. A constant number of
//! steps, and no allocation. No partition is touched but the one that is found: others may
//! be destroyed meanwhile.

mod entry;
mod index;

use std::{io, ptr};

use entry::Entry;

use crate::{
    fork::{self, Step},
    partition::Partition,
    process,
};

const PARTITIONS: usize = 64;

static TABLE: [Entry; PARTITIONS] = [const { Entry::new() }; PARTITIONS];

/// Partitions of the process that forked this one: until they are destroyed here, to
/// tell their addresses from nonsense.
static INHERITED: [Entry; PARTITIONS] = [const { Entry::new() }; PARTITIONS];

/// Registers a partition; false if the table is full.
pub(crate) fn register(part: *mut Partition) -> bool {
    fork::set_step(Step::Partitions, &(disown_all as fn()));
    // SAFETY: the caller's own.
    let mappings = || unsafe { (*part).mappings() };
    let entered = TABLE.iter().any(|entry| entry.enter(part, mappings()));
    index::make(&TABLE);
    entered
}

/// Removes a partition. No other thread may look it up any longer.
pub(crate) fn unregister(part: &Partition) {
    for entry in TABLE.iter().chain(&INHERITED) {
        entry.leave(ptr::from_ref(part));
    }
    index::make(&TABLE);
}

/// The partition in the first entry, in most programs the only one, if a block is in it.
///
/// # Safety
///
/// As for [`find`].
#[inline(always)]
pub(crate) unsafe fn first_with<'a>(block: *const u8) -> Option<&'a Partition> {
    // SAFETY: entered by `register` and, by the precondition, alive.
    unsafe { TABLE[0].with_block(block as usize)?.as_ref() }
}

/// Makes all partitions inherited ones. More of them than the table holds are forgotten, as is
/// one that another thread was registering or removing. Context: a forked child, before it
/// uses one.
fn disown_all() {
    for entry in &TABLE {
        if let Some((part, mappings)) = entry.all() {
            let _ = INHERITED
                .iter()
                .any(|free| free.enter(part, mappings.clone()));
        }
        entry.clear();
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
    let address = address as usize;
    let part = index::find(address).or_else(|| TABLE.iter().find_map(|entry| entry.with(address)));
    // SAFETY: entered by `register` and, by the precondition, alive.
    match part.and_then(|part| unsafe { part.as_ref() }) {
        Some(part) => Ok(part),
        None if INHERITED.iter().any(|entry| entry.with(address).is_some()) => {
            Err(process::not_ours())
        }
        None => Err(io::Error::from_raw_os_error(libc::EINVAL)),
    }
}
