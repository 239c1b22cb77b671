// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a reserve that is resized is made of: the first piece is what it was created with, each
//! other one what a call added. Each is a region, since the kernel cuts off what has no region in
//! it.

use std::io;

use super::error;

/// The most pieces of a reserve.
const MOST: usize = 32;

/// A piece that was added.
#[derive(Clone, Copy, Default)]
pub(super) struct Piece {
    /// Where it begins in the reserve.
    pub(super) start: u64,
    pub(super) handle: u64,
}

/// What a reserve is made of.
pub(super) struct Pieces {
    added: [Piece; MOST - 1],
    pub(super) count: usize,
    /// Bytes that the heap has, and no more than the pieces are.
    pub(super) bytes: u64,
}

impl Pieces {
    /// A reserve of one piece.
    pub(super) fn of(bytes: u64) -> Self {
        Self {
            added: Default::default(),
            count: 0,
            bytes,
        }
    }

    /// Notes one more: ENOMEM if there are too many.
    pub(super) fn push(&mut self, piece: Piece) -> io::Result<()> {
        let free = self.added.get_mut(self.count);
        *free.ok_or_else(|| error(libc::ENOMEM))? = piece;
        self.count += 1;
        Ok(())
    }

    /// The last one, if it begins at this place or behind it.
    pub(super) fn last_behind(&self, bytes: u64) -> Option<Piece> {
        let last = self.added[..self.count].last()?;
        (last.start >= bytes).then_some(*last)
    }

    /// Whether a piece that was added begins there.
    pub(super) fn begin_at(&self, bytes: u64) -> bool {
        self.added[..self.count]
            .iter()
            .any(|piece| piece.start == bytes)
    }
}
