// SPDX-License-Identifier: GPL-2.0

//! Tables of a fixed length.
//!
//! `Vec::push()` of the kernel may enlarge the vector, by arithmetic that can panic as far
//! as the compiler can tell. `push_within_capacity()` cannot.

use kernel::{alloc::Flags, prelude::*};

/// A table of these entries, whose number the iterator knows: ENOMEM. Context: thread, may
/// sleep.
pub(crate) fn collect<T>(entries: impl Iterator<Item = T>, flags: Flags) -> Result<KVVec<T>> {
    let mut table = KVVec::with_capacity(entries.size_hint().0, flags)?;
    for entry in entries {
        table.push_within_capacity(entry)?;
    }
    Ok(table)
}
