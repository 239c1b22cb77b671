// SPDX-License-Identifier: MIT OR Apache-2.0

//! The sizes that blocks are rounded up to, and the classes of those that are cached.
//!
//! All of them are lower bounds of lists of [`super::lists`]: a free block of the very
//! size that is requested is in the list where the search begins.

/// The unit of sizes.
pub(super) const GRAIN: usize = 16;
/// The size of the largest cached block.
pub(super) const LARGEST: usize = 64 << 10;
/// Classes of each doubling; below the first one, each multiple of the grain is a class.
const STEPS: usize = 16;
const EXACT: usize = STEPS * GRAIN;
/// The number of classes.
pub(super) const CLASSES: usize = STEPS + (LARGEST / EXACT).ilog2() as usize * STEPS;

/// Bytes of the blocks of a class.
pub(super) const fn bytes_of(class: usize) -> usize {
    if class < STEPS {
        return (class + 1) * GRAIN;
    }
    let doubling = class / STEPS - 1;
    (STEPS + class % STEPS + 1) << (doubling + GRAIN.ilog2() as usize)
}

/// The class whose blocks have room for `size` bytes.
#[inline(always)]
pub(super) fn class_of(size: usize) -> Option<usize> {
    if size > LARGEST {
        return None;
    }
    let last = size.saturating_sub(1);
    Some(match last < EXACT {
        true => last / GRAIN,
        false => doublings(last) + (last >> shift(last)),
    })
}

/// The highest class that has no more than `bytes`, which are 16 at least. None for more
/// than the largest class and its rounding.
#[inline(always)]
pub(super) fn class_within(bytes: usize) -> Option<usize> {
    let class = match bytes < EXACT {
        true => bytes / GRAIN,
        false => doublings(bytes) + (bytes >> shift(bytes)),
    };
    (1..=CLASSES).contains(&class).then(|| class - 1)
}

/// How far a size is shifted to leave its first bit and the number of its step.
#[inline(always)]
const fn shift(bytes: usize) -> u32 {
    bytes.ilog2() - STEPS.ilog2()
}

/// Classes of the doublings from [`EXACT`] to below a size.
#[inline(always)]
const fn doublings(bytes: usize) -> usize {
    (bytes.ilog2() - EXACT.ilog2()) as usize * STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_for_its_sizes() {
        assert_eq!(class_of(LARGEST), Some(CLASSES - 1));
        assert_eq!(bytes_of(CLASSES - 1), LARGEST);
        assert_eq!(class_of(LARGEST + 1), None);
        assert_eq!(class_of(usize::MAX), None);
        for size in 0..=LARGEST {
            let class = class_of(size).unwrap();
            let bytes = bytes_of(class);
            assert!(bytes >= size && bytes % GRAIN == 0);
            // No more than a sixteenth, and what alignment takes, is lost.
            assert!(bytes - size < GRAIN + 1 + size / 16, "{size}: {bytes}");
            assert!(class == 0 || bytes_of(class - 1) < size);
        }
    }

    #[test]
    fn a_block_is_in_the_highest_class_that_it_has_room_for() {
        for bytes in (GRAIN..LARGEST * 2).step_by(GRAIN) {
            let highest = (0..CLASSES).rfind(|&class| bytes_of(class) <= bytes);
            match class_within(bytes) {
                None => assert!(bytes >= bytes_of(CLASSES - 1) + (4 << 10)),
                found => assert_eq!(found, highest, "{bytes}"),
            }
        }
        assert_eq!(class_within(usize::MAX), None);
    }
}
