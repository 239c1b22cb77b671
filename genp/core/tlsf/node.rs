// SPDX-License-Identifier: GPL-2.0

//! The description of a block.

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// What a node describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockState {
    /// No block.
    Unused,
    /// A free block.
    Free,
    /// A region of a process.
    Used,
    /// A region of a driver; see [`super::Tlsf::alloc_for_driver`].
    DriverOwned,
}

/// One entry of the table of a [`super::Tlsf`]: 32 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(super) offset: u32,
    pub(super) units: u32,
    /// The block that ends where this one begins.
    pub(super) below: u32,
    /// The block that begins where this one ends.
    pub(super) above: u32,
    /// Neighbours in the list of a free block; `next` chains unused nodes as well.
    pub(super) prev: u32,
    pub(super) next: u32,
    /// Counts the regions that this node described.
    pub(super) generation: u32,
    pub(super) state: BlockState,
}

impl Node {
    /// A node that describes no block, for initial tables.
    pub const EMPTY: Self = Self {
        offset: 0,
        units: 0,
        below: NONE,
        above: NONE,
        prev: NONE,
        next: NONE,
        generation: 0,
        state: BlockState::Unused,
    };
}
