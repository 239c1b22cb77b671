// SPDX-License-Identifier: MIT OR Apache-2.0

//! The size classes of cached blocks.

/// The size of the largest cached block.
pub(super) const LARGEST: usize = 4096;
/// The unit of sizes.
pub(super) const GRAIN: usize = 16;
/// Sizes up to this have a class each; above, each doubling has 16 classes.
const EXACT: usize = 256;
/// Number of classes: of 0 to 16 grains, and of four doublings.
pub(super) const CLASSES: usize = EXACT / GRAIN + 1 + 4 * 16;

/// Bytes of the blocks of a class.
const fn bytes_of(class: usize) -> usize {
    if class <= EXACT / GRAIN {
        return class * GRAIN;
    }
    let above = class - EXACT / GRAIN - 1;
    let step = GRAIN << (above / 16);
    (EXACT << (above / 16)) + (above % 16 + 1) * step
}

/// Bytes of the blocks of each class. A block of 0 bytes has room for the link to the
/// next one.
pub(super) static BYTES: [u16; CLASSES] = {
    let mut table = [GRAIN as u16; CLASSES];
    let mut class = 1;
    while class < CLASSES {
        table[class] = bytes_of(class) as u16;
        class += 1;
    }
    table
};

/// The class of each number of grains.
static CLASS: [u8; LARGEST / GRAIN + 1] = {
    let mut table = [0; LARGEST / GRAIN + 1];
    let (mut grains, mut class) = (0, 0);
    while grains < table.len() {
        if grains * GRAIN > bytes_of(class) {
            class += 1;
        }
        table[grains] = class as u8;
        grains += 1;
    }
    table
};

/// The class whose blocks have room for `size` bytes.
#[inline]
pub(super) fn class_of(size: usize) -> Option<usize> {
    if size > LARGEST {
        return None;
    }
    let class = CLASS[(size + GRAIN - 1) >> GRAIN.ilog2()] as usize;
    // SAFETY: the table has only classes of `bytes_of`, which are below CLASSES.
    unsafe { std::hint::assert_unchecked(class < CLASSES) };
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_for_its_sizes() {
        assert_eq!(class_of(LARGEST), Some(CLASSES - 1));
        assert_eq!(class_of(LARGEST + 1), None);
        assert_eq!(class_of(usize::MAX), None);
        for size in 0..=LARGEST {
            let class = class_of(size).unwrap();
            let bytes = bytes_of(class);
            assert!(bytes >= size && bytes % GRAIN == 0);
            // No more than a sixteenth, and what alignment takes, is lost.
            assert!(bytes - size < GRAIN.max(size / 16 + 1), "{size}: {bytes}");
            assert!(class == 0 || bytes_of(class - 1) < size);
        }
    }
}
