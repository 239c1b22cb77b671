// SPDX-License-Identifier: GPL-2.0

//! The size of a page.

/// log2 of it.
pub const PAGE_SHIFT: usize = 12;
/// In bytes.
pub const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
/// Of an address, the bits that say which page.
pub const PAGE_MASK: usize = !(PAGE_SIZE - 1);
