// SPDX-License-Identifier: GPL-2.0

//! What a reserve is made of.

use kernel::prelude::*;

use super::told::ToldPages;
use crate::genp::sys::{alloc_flags::CREATE_FLAGS, genalloc::Carveout, table, vmap::Vmap};

/// The memory of a reserve.
pub(super) enum Backing {
    /// Frames of the pool in the order of its pages.
    Frames(KVVec<u32>),
    /// A piece of other memory.
    Carveout(Carveout),
}

/// What the lock of a reserve guards.
pub(in crate::genp::partition) struct ReserveFrames {
    pub(super) backing: Backing,
    /// Pages of a carveout whose memory errors the owner was told of.
    pub(super) told: ToldPages,
    /// Frames that were committed and not taken yet.
    pub(super) promised: u32,
    /// Where the kernel has frames of the pool mapped, for drivers.
    pub(super) vmap: Option<Vmap>,
    /// Drivers that have the partition.
    pub(super) drivers: u32,
}

impl ReserveFrames {
    pub(super) const fn new() -> Self {
        Self {
            backing: Backing::Frames(KVVec::new()),
            told: ToldPages::NONE,
            promised: 0,
            vmap: None,
            drivers: 0,
        }
    }

    /// Pages it has.
    pub(in crate::genp::partition) fn pages(&self) -> u32 {
        match &self.backing {
            Backing::Frames(table) => table.len() as u32,
            Backing::Carveout(carveout) => carveout.pages(),
        }
    }

    /// Takes the last frame out.
    pub(super) fn pop(&mut self) -> Option<u32> {
        match &mut self.backing {
            Backing::Frames(table) => table.pop(),
            Backing::Carveout(_) => None,
        }
    }

    /// Whether its length can never change.
    pub(in crate::genp::partition) fn is_fixed(&self) -> bool {
        matches!(self.backing, Backing::Carveout(_))
    }

    /// Whether a driver has it, so that its length cannot change now.
    pub(in crate::genp::partition) fn is_pinned_by_drivers(&self) -> bool {
        self.drivers > 0
    }

    /// A copy of its table with room for `pages` frames. ENOMEM. Context: thread, may
    /// sleep.
    pub(in crate::genp::partition) fn table_for(&self, pages: u32) -> Result<KVVec<u32>> {
        let mut larger = table::with_room(pages as usize, CREATE_FLAGS)?;
        if let Backing::Frames(table) = &self.backing {
            larger.extend_from_slice(table, CREATE_FLAGS)?;
        }
        Ok(larger)
    }

    /// Makes `table` its table, which has room for `added` frames that were committed.
    pub(in crate::genp::partition) fn promise(&mut self, table: KVVec<u32>, added: u32) {
        self.backing = Backing::Frames(table);
        self.promised = added;
    }
}
