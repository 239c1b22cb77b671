// SPDX-License-Identifier: GPL-2.0

//! The slots of a stock and the pages in them.
//!
//! A page in a stock has the number of its slot in `page_private()`. So one comparison
//! tells whether a page that is given back belongs to the stock.

use kernel::{alloc::Flags, prelude::*};

use crate::genp::sys::{atomic::InlineAtomic, cell::RelaxedCell, table};

/// No slot.
const NONE: u32 = u32::MAX;
/// No page has this address.
const NO_PAGE: u64 = 0;

/// The slots of a stock, 12 bytes each: a stock may have as many as the pool has frames.
///
/// A slot is written when it is filled or emptied, while nobody can have its page. So it
/// does not change while its page is taken.
pub(super) struct Slots {
    /// The address of the `struct page` in each slot, or [`NO_PAGE`].
    pages: KVVec<InlineAtomic>,
    /// The frame in each slot. For an empty slot, the next empty one. Accessed under the
    /// lock of the stock's filling.
    frames: KVVec<RelaxedCell>,
}

/// The list of the empty slots.
pub(super) struct EmptySlots {
    first: u32,
}

impl Slots {
    /// `count` empty slots, of which the lowest is filled first: ENOMEM. Context: thread,
    /// may sleep.
    pub(super) fn new(count: u32, flags: Flags) -> Result<(Self, EmptySlots)> {
        let pages = InlineAtomic::several(count as usize, NO_PAGE, flags)?;
        let nexts = (0..count).map(|slot| {
            let next = slot.wrapping_add(1);
            RelaxedCell::new(if next < count { next } else { NONE })
        });
        let frames = table::collect(nexts, flags)?;
        let first = if count > 0 { 0 } else { NONE };
        Ok((Self { pages, frames }, EmptySlots { first }))
    }

    /// The page in a slot whose page the caller has taken. Context: any.
    #[inline(always)]
    pub(super) fn page(&self, slot: u32) -> Option<usize> {
        // ORDERING: pairs with the store in `fill`; the labyrinth orders the two, because
        // the slot was filled before its page became free.
        Some(self.pages.get(slot as usize)?.load() as usize)
    }

    /// The frame in a slot, if there is one: see [`super::Stock::frame`].
    pub(super) fn frame(&self, slot: u32) -> Option<u32> {
        if self.pages.get(slot as usize)?.load() == NO_PAGE {
            return None;
        }
        Some(self.frames.get(slot as usize)?.get())
    }

    /// Whether this page is in this slot. Context: any.
    #[inline(always)]
    pub(super) fn holds(&self, slot: usize, page: usize) -> bool {
        // ORDERING: pairs with the store in `fill`: a caller that has the page took it
        // after that. For a page that the caller does not have any answer is correct: if
        // the page is in the slot now, giving it back is refused.
        self.pages
            .get(slot)
            .is_some_and(|in_slot| in_slot.load() == page as u64)
    }

    /// Puts a frame into an empty slot, and the address that `page_of` returns for that
    /// slot. Returns the slot, or `None` if none is empty. Context: thread.
    pub(super) fn fill(
        &self,
        empty: &mut EmptySlots,
        frame: u32,
        page_of: impl FnOnce(u32) -> usize,
    ) -> Option<u32> {
        let slot = empty.first;
        let entry = self.frames.get(slot as usize)?;
        let page = self.pages.get(slot as usize)?;
        empty.first = entry.get();
        entry.set(frame);
        // ORDERING: pairs with the loads in `page` and `holds`.
        page.store(page_of(slot) as u64);
        Some(slot)
    }

    /// Empties a slot; returns the frame that was in it. Context: thread.
    pub(super) fn empty(&self, empty: &mut EmptySlots, slot: u32) -> Option<u32> {
        let page = self.pages.get(slot as usize)?;
        let entry = self.frames.get(slot as usize)?;
        if page.load() == NO_PAGE {
            return None;
        }
        page.store(NO_PAGE);
        let frame = entry.get();
        entry.set(empty.first);
        empty.first = slot;
        Some(frame)
    }
}
