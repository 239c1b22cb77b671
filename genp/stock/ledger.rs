// SPDX-License-Identifier: GPL-2.0

//! Whose stock a frame is in, so that a page that comes back goes where it belongs.

use kernel::prelude::*;

use super::super::{core::labyrinth::Word, sys::word::KernelWord};

/// Where a frame is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The number of the partition, or [`Entry::EMERGENCY`].
    pub(crate) stock: u32,
    pub(crate) slot: u32,
}

impl Entry {
    /// The module's emergency stock.
    pub(crate) const EMERGENCY: u32 = u32::MAX - 1;
    /// In no stock.
    const NOWHERE: u64 = u64::MAX;

    pub(crate) const fn new(stock: u32, slot: u32) -> Self {
        Self { stock, slot }
    }
}

/// For each frame the stock it is in.
///
/// An entry is written by who puts the frame into a slot or takes it out for good,
/// while nobody can have the page; who has it reads an entry that does not change.
pub(crate) struct Ledger(KVVec<KernelWord>);

impl Ledger {
    /// Allocates the entries of `count` frames. Context: thread, may sleep.
    pub(crate) fn new(count: u32) -> Result<Self> {
        let entries = KernelWord::several(count as usize, Entry::NOWHERE)?;
        Ok(Self(entries))
    }

    /// The stock a frame is in. Context: any.
    pub(crate) fn find(&self, frame: u32) -> Option<Entry> {
        // ORDERING: pairs with `enter`.
        let entry = self.0.get(frame as usize)?.load();
        (entry != Entry::NOWHERE).then_some(Entry {
            stock: (entry >> 32) as u32,
            slot: entry as u32,
        })
    }

    /// Notes where a frame is now. Context: thread.
    pub(crate) fn enter(&self, frame: u32, entry: Entry) {
        if let Some(place) = self.0.get(frame as usize) {
            // ORDERING: pairs with `find`.
            place.store((u64::from(entry.stock) << 32) | u64::from(entry.slot));
        }
    }

    /// Notes that a frame is in no stock any longer. Context: thread.
    pub(crate) fn strike(&self, frame: u32) {
        if let Some(place) = self.0.get(frame as usize) {
            place.store(Entry::NOWHERE);
        }
    }
}
