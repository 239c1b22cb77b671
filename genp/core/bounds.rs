// SPDX-License-Identifier: GPL-2.0

//! How large a reserve must be so that no allocation in it fails.

use super::tlsf::class_ceiling;

/// The units of a reserve that suffice for `live` units in regions at a time, if no
/// request is for more than `largest` units, alignment included, in whatever order
/// regions are allocated and freed. `None` if that is 2^64 or more, or `largest` is
/// beyond the largest size class. O(1).
///
/// Derivation. Let a request of s units, for which a block of S units is searched,
/// alignment included, fail while the live regions have at most L - s units. Free
/// neighbours are always merged, so there are at most L - s + 1 free blocks. The
/// allocator takes any block from the class of S rounded up, c(S), or from one
/// above, so each free block has at most c(S) - 1 units. All units are used or free:
///
///   reserve <= (L - s) + (L - s + 1) (c(S) - 1) <= L c(S) - 1,
///
/// the last step for s >= 1. A reserve of L c(largest) units therefore never
/// fails. Robson ("Worst case fragmentation of first fit and best fit storage
/// allocation strategies", 1977) shows that best fit comes close to this, so a
/// finer count would gain little.
pub fn worst_reserve(live: u64, largest: u64) -> Option<u64> {
    let class = match u32::try_from(largest.max(1)) {
        Ok(largest) => u64::from(class_ceiling(largest)?),
        Err(_) => return None,
    };
    live.checked_mul(class)
}
