// SPDX-License-Identifier: GPL-2.0

//! How much reserve is always enough.

use super::tlsf::class_ceiling;

/// Units of reserve that suffice for `live` units in regions at a time, none of
/// which is asked for with more than `largest` units, alignment included, in
/// whatever order regions come and go. `None` if that is more than 2^64.
///
/// Derivation. Let a request of s units fail that is looked for with S units,
/// alignment included, while the live regions have at most L - s units. Free
/// neighbours are always merged, so there are at most L - s + 1 free blocks. The
/// allocator takes any block from the class of S rounded up, c(S), or from one
/// above, so each free block has at most c(S) - 1 units. All units are used or free:
///
///   reserve <= (L - s) + (L - s + 1) (c(S) - 1) <= L c(S) - 1,
///
/// the last step for s >= 1. A reserve of L c(largest) units therefore never
/// fails. Robson ("Worst case fragmentation of first fit and best fit storage
/// allocation strategies", 1977) shows that best fit comes near to this, so there
/// is little to be gained by a finer count.
pub fn worst_reserve(live: u64, largest: u64) -> Option<u64> {
    let class = match u32::try_from(largest.max(1)) {
        Ok(largest) => u64::from(class_ceiling(largest)?),
        Err(_) => return None,
    };
    live.checked_mul(class)
}
