// SPDX-License-Identifier: GPL-2.0

//! The slots of a stock and the pages in them.
//!
//! A page in a stock has the number of its slot in `page_private()`. So one comparison
//! tells whether a page that is given back belongs to the stock.

use kernel::prelude::*;

use crate::genp::sys::atomic::InlineAtomic;

/// No frame.
const NONE: u64 = u64::MAX;
/// No page has this address.
const NO_PAGE: u64 = 0;

struct Slot {
    /// The address of its `struct page`.
    page: InlineAtomic,
    frame: InlineAtomic,
}

/// The slots of a stock.
///
/// A slot is written when it is filled or emptied, while nobody can have its page. So it
/// does not change while its page is taken.
pub(super) struct Slots(KVVec<Slot>);

impl Slots {
    /// `count` empty slots: ENOMEM. Context: thread, may sleep.
    pub(super) fn new(count: u32) -> Result<Self> {
        let mut slots = KVVec::with_capacity(count as usize, GFP_KERNEL)?;
        for _ in 0..count {
            let slot = Slot {
                page: InlineAtomic::new(NO_PAGE),
                frame: InlineAtomic::new(NONE),
            };
            slots.push(slot, GFP_KERNEL)?;
        }
        Ok(Self(slots))
    }

    /// The page in a slot whose page the caller has taken. Context: any.
    #[inline(always)]
    pub(super) fn page(&self, slot: u32) -> Option<usize> {
        // ORDERING: pairs with the store in `fill`; the labyrinth orders the two, because
        // the slot was filled before its page became free.
        Some(self.0.get(slot as usize)?.page.load() as usize)
    }

    /// Whether this page is in this slot. Context: any.
    #[inline(always)]
    pub(super) fn holds(&self, slot: usize, page: usize) -> bool {
        // ORDERING: pairs with the store in `fill`: a caller that has the page took it
        // after that. For a page that the caller does not have any answer is correct: if
        // the page is in the slot now, giving it back is refused.
        self.0
            .get(slot)
            .is_some_and(|slot| slot.page.load() == page as u64)
    }

    /// Puts a frame into an empty slot, and the address of its page. Context: thread.
    pub(super) fn fill(&self, slot: u32, frame: u32, page: usize) {
        if let Some(slot) = self.0.get(slot as usize) {
            slot.frame.store(frame.into());
            // ORDERING: pairs with the loads in `page` and `holds`.
            slot.page.store(page as u64);
        }
    }

    /// Empties a slot; returns the frame that was in it. Context: thread.
    pub(super) fn empty(&self, slot: u32) -> Option<u32> {
        let slot = self.0.get(slot as usize)?;
        // Fails for NONE.
        let frame = u32::try_from(slot.frame.load()).ok()?;
        slot.page.store(NO_PAGE);
        slot.frame.store(NONE);
        Some(frame)
    }
}
