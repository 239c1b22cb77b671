// SPDX-License-Identifier: GPL-2.0

//! Tables of a fixed length.
//!
//! `Vec::push()` of the kernel may enlarge the vector, by arithmetic that can panic as far
//! as the compiler can tell. `push_within_capacity()` cannot.

use kernel::{alloc::Flags, page::PAGE_SIZE, prelude::*};

use super::headroom;

/// A table without entries and with room for `count`: ENOMEM, without a trace of having
/// tried. Context: thread, may sleep. Linear in the count.
pub(crate) fn with_room<T>(count: usize, flags: Flags) -> Result<KVVec<T>> {
    let bytes = count.saturating_mul(size_of::<T>());
    if bytes > PAGE_SIZE {
        headroom::check(bytes)?;
    }
    Ok(KVVec::with_capacity(count, flags)?)
}

/// A table of these entries, whose number the iterator knows: ENOMEM. Context: thread, may
/// sleep.
pub(crate) fn collect<T>(entries: impl Iterator<Item = T>, flags: Flags) -> Result<KVVec<T>> {
    let mut table = with_room(entries.size_hint().0, flags)?;
    // loop-bound: table_entries
    for entry in entries {
        table.push_within_capacity(entry)?;
    }
    Ok(table)
}
