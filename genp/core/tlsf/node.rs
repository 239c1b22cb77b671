// SPDX-License-Identifier: GPL-2.0

//! What is known of a block.

/// No node.
pub(super) const NONE: u32 = u32::MAX;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockState {
    /// Nothing.
    Unused,
    /// A free block.
    Free,
    /// A region.
    Used,
    /// A region of a driver's, see [`super::Tlsf::hold`].
    DriverOwned,
}

/// One entry of the table of blocks: 32 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(super) offset: u32,
    pub(super) units: u32,
    /// The block that ends where this one begins.
    pub(super) below: u32,
    /// The block that begins where this one ends.
    pub(super) above: u32,
    /// Neighbours in the class of a free block; `next` chains spare nodes too.
    pub(super) prev: u32,
    pub(super) next: u32,
    /// Counts the regions this node stood for.
    pub(super) generation: u32,
    pub(super) state: BlockState,
}

impl Node {
    /// Stands for nothing.
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
