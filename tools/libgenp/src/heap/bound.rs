// SPDX-License-Identifier: MIT OR Apache-2.0

//! How large a heap must be so that nothing is refused.

use super::engine::SMALLEST;

/// What a heap takes for itself, wherever it begins: its end, two words that it tells the kernel,
/// and up to 15 bytes to begin at a multiple of 16.
pub(crate) const OWN: u64 = 96;

/// The bytes of a heap that suffice for live blocks of `live` bytes at the same time, if no
/// request takes more than `largest`, in whatever order they are allocated, resized and freed,
/// without alignments. Both as [`super::bytes_for`] counts blocks. The most of an u64 if it is
/// that or more.
///
/// Derivation. Let a request of r bytes, its header included, fail: then all cached blocks were
/// returned, so that each byte is in a live block or in a free one. The live ones are counted
/// with K <= live - r bytes. No free block has r bytes, or the request would have found it:
/// they have r - 16 at most, and there are no more of them than live blocks and one, since
/// neighbours are merged. A live block can have e bytes more than it is counted with: 16 that were
/// too few for a block, or, from 512 bytes on, up to a sixteenth, if it was made for a
/// larger size of its class and cached. So a live block of c bytes and the free one behind it
/// take c + e + r - 16, which is at most c + r * floor(c / 32), for each c >= 32; and the heap has
///
/// ```text
///   K + r * floor(K / 32) + r - 16  <=  live - 16 + r (live - r) / 32
/// ```
///
/// bytes. Requests of all sizes up to `largest` can fail; half of `live` makes the most of it.
/// No less is enough: `super::engine::orders` finds orders that need each byte of it.
pub(crate) fn suffices(live: u64, largest: u64) -> u64 {
    let smallest = SMALLEST as u64;
    let worst = largest.clamp(smallest, (live / 2).max(smallest));
    let holes = u128::from(worst) * u128::from(live.saturating_sub(worst)) / u128::from(smallest);
    let holes = u64::try_from(holes).unwrap_or(u64::MAX);
    live.saturating_add(holes).saturating_add(OWN)
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;
    use crate::heap::{bytes_for, Heap};

    /// Runs something with a heap of so many bytes, in memory of the worst alignment.
    fn with_heap<T>(bytes: u64, run: impl FnOnce(&Heap) -> T) -> T {
        let bytes = bytes as usize;
        let mut memory = vec![0u128; bytes / 16 + 2];
        let start = NonNull::new(memory.as_mut_ptr().cast::<u8>()).unwrap();
        // What a partition's heap tells the kernel is behind it.
        // SAFETY: `memory` outlives the heap.
        let heap = unsafe { Heap::new(start.add(1), bytes - 64) }.unwrap();
        run(&heap)
    }

    /// Blocks of `size`, each with another one behind it, are shrunk to the smallest one by one:
    /// what they leave is too little for the next. Whether all of it was served, without ever
    /// more than `live` bytes in live blocks.
    fn shrinks(heap: &Heap, live: usize, size: usize) -> bool {
        let (small, large) = (bytes_for(0), bytes_for(size));
        let Ok(mut last) = heap.alloc(size, 16) else {
            return false;
        };
        let mut used = large;
        while used + large <= live {
            let Ok(next) = heap.alloc(size, 16) else {
                return false;
            };
            // SAFETY: allocated above, and used by nobody.
            assert_eq!(unsafe { heap.realloc(last, 0) }.unwrap(), last);
            used += small;
            last = next;
        }
        true
    }

    #[test]
    fn who_shrinks_blocks_needs_nearly_all_of_it() {
        for (live, size) in [(128 << 10, 496), (256 << 10, 1008), (256 << 10, 2032)] {
            let enough = suffices(live as u64, bytes_for(size) as u64);
            assert!(with_heap(enough, |heap| shrinks(heap, live, size)));
            let less = enough * 9 / 10;
            assert!(!with_heap(less, |heap| shrinks(heap, live, size)), "{live}");
        }
    }

    #[test]
    fn of_one_size_a_heap_needs_not_a_byte_more_than_its_blocks() {
        // Sizes that are not rounded: without room, a block may be had that is less so.
        for size in [0, 100, 1000, 5000, 66_000].map(|size| bytes_for(size) - 16) {
            let needed = (20 * bytes_for(size)) as u64 + OWN;
            let blocks = |bytes| {
                with_heap(bytes, |heap| {
                    (0..20).map_while(|_| heap.alloc(size, 16).ok()).count()
                })
            };
            assert_eq!(blocks(needed), 20, "{size}");
            assert_eq!(blocks(needed - 2), 19, "{size}");
        }
    }

    #[test]
    fn sizes_beyond_all_numbers_need_more_than_there_is() {
        assert_eq!(suffices(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(suffices(0, 0), OWN);
        // A single block, which may have been many small ones before.
        assert_eq!(suffices(4096, 4096), 4096 + 2048 * 2048 / 32 + OWN);
    }
}
