// SPDX-License-Identifier: GPL-2.0

//! Which page is in which slot of a stock.
//!
//! The number of its slot stands in the page itself, in `page_private()`, as long as it
//! is in a stock. So one look here tells whether a page that comes back belongs to it.

use kernel::prelude::*;

use crate::genp::sys::atomic::InlineAtomic;

/// No frame.
const NONE: u64 = u64::MAX;
/// No page has this address.
const NOWHERE: u64 = 0;

struct Slot {
    /// The address of its `struct page`.
    page: InlineAtomic,
    frame: InlineAtomic,
}

/// The slots of a stock.
///
/// A slot is written by who fills or empties it, while nobody can have its page; who has
/// the page reads a slot that does not change.
pub(super) struct Slots(KVVec<Slot>);

impl Slots {
    /// So many empty slots: ENOMEM. Context: thread, may sleep.
    pub(super) fn new(count: u32) -> Result<Self> {
        let mut slots = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
        for _ in 0..count {
            let slot = Slot {
                page: InlineAtomic::new(NOWHERE),
                frame: InlineAtomic::new(NONE),
            };
            slots.push(slot, GFP_KERNEL)?;
        }
        Ok(Self(slots))
    }

    /// The page in a slot whose page the caller has taken. Context: any.
    #[inline(always)]
    pub(super) fn page(&self, slot: u32) -> Option<usize> {
        // ORDERING: pairs with `fill`, and is later than it by the labyrinth: the slot
        // was filled before its page was first given.
        Some(self.0.get(slot as usize)?.page.load() as usize)
    }

    /// Whether this page is in this slot. Context: any.
    #[inline(always)]
    pub(super) fn holds(&self, slot: usize, page: usize) -> bool {
        // ORDERING: pairs with `fill`: who has the page got it after that. For a page
        // that is none of the caller's, any answer will do: if it is in the slot now, it
        // is free or another's, and giving it tells which.
        self.0
            .get(slot)
            .is_some_and(|slot| slot.page.load() == page as u64)
    }

    /// Puts a frame into an empty slot, and the address of its page. Context: thread.
    pub(super) fn fill(&self, slot: u32, frame: u32, page: usize) {
        if let Some(slot) = self.0.get(slot as usize) {
            slot.frame.store(frame.into());
            // ORDERING: pairs with `page` and `holds`.
            slot.page.store(page as u64);
        }
    }

    /// Empties a slot: the frame that was in it. Context: thread.
    pub(super) fn empty(&self, slot: u32) -> Option<u32> {
        let slot = self.0.get(slot as usize)?;
        // CAST: a frame's number, or one that is none.
        let frame = u32::try_from(slot.frame.load()).ok()?;
        slot.page.store(NOWHERE);
        slot.frame.store(NONE);
        Some(frame)
    }
}
