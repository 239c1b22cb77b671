// SPDX-License-Identifier: GPL-2.0

//! The description of a block.

use super::{classes::Class, end::END};

/// What a node describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
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

/// One entry of the table of a [`super::Tlsf`]: half a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
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
    /// In which list a free block is.
    pub(super) class: Class,
}

impl Node {
    /// A node that describes no block, for initial tables.
    pub const EMPTY: Self = Self {
        offset: 0,
        units: 0,
        below: END,
        above: END,
        prev: END,
        next: END,
        generation: 0,
        state: BlockState::Unused,
        class: Class::LOWEST,
    };
}
