// SPDX-License-Identifier: GPL-2.0

//! The lease window: one slice of address space for each lease.
//!
//! A slice is as long as the borrow limit, so a lease always finds room, no
//! matter how leases came and went, and the rest of its slice is a guard.

use kernel::{mm::virt::VmaNew, page::PAGE_SHIFT, prelude::*};

use super::{reserve::RESERVE_OFFSET, Attributes, Partition};
use crate::genp::{
    core::{books::MAX_SLICES, owner::Owner},
    frames::list::FrameList,
    sys::vma::{self, AddressSpaceId, LeaseVma, WindowKey},
};

/// File offset of the lease window: above any reserve.
pub(crate) const LEASE_OFFSET: u64 = 1 << 42;

/// The most mappings of the lease window. They bound the work of ending a lease.
const MAPPINGS: usize = 16;

/// Pages of the lease window.
pub(super) fn lease_pages(attributes: &Attributes) -> u64 {
    u64::from(attributes.max_leases) * u64::from(attributes.slice_pages)
}

/// What lies in a slice.
pub(crate) struct Slice {
    /// The lease it belongs to, or 0.
    handle: u64,
    /// Its frames.
    list: FrameList,
    /// Whether all of them are there.
    complete: bool,
    /// Whether it is a driver's, and no process may see it.
    hidden: bool,
}

impl Slice {
    const EMPTY: Self = Self {
        handle: 0,
        list: FrameList::EMPTY,
        complete: false,
        hidden: false,
    };
}

/// The slices, and where they are mapped. Whoever holds the lock of this may
/// change the page tables of the window; who ends a lease clears its slice and
/// the page tables under one lock, so a slower borrower or a late page fault
/// finds the slice empty.
pub(crate) struct Windows {
    slices: [Slice; MAX_SLICES as usize],
    mappings: [Option<WindowKey>; MAPPINGS],
    /// Places of `mappings` that may be taken; those behind are not.
    mapped: usize,
}

impl Windows {
    pub(super) const fn new() -> Self {
        Self {
            slices: [const { Slice::EMPTY }; MAX_SLICES as usize],
            mappings: [None; MAPPINGS],
            mapped: 0,
        }
    }

    /// A mapping of the window in this address space, at place `from` or behind, and
    /// the place behind it. At most `MAPPINGS` steps.
    pub(super) fn next_in(&self, space: AddressSpaceId, from: usize) -> Option<(WindowKey, usize)> {
        let places = self
            .mappings
            .iter()
            .take(self.mapped)
            .enumerate()
            .skip(from);
        let mut keys = places.filter_map(|(at, place)| place.map(|key| (key, at + 1)));
        keys.find(|(key, _)| key.is_in(space))
    }

    /// Notes a mapping; false if there is no place for it. The places of the others
    /// stay what they are. At most `MAPPINGS` steps.
    fn enter(&mut self, key: WindowKey) -> bool {
        let Some(at) = self.mappings.iter().position(Option::is_none) else {
            return false;
        };
        if let Some(place) = self.mappings.get_mut(at) {
            *place = Some(key);
        }
        self.mapped = self.mapped.max(at + 1);
        true
    }

    /// Forgets a mapping. At most `MAPPINGS` steps.
    fn forget(&mut self, key: WindowKey) {
        if let Some(place) = self.mappings.iter_mut().find(|place| **place == Some(key)) {
            *place = None;
        }
        let last = self.mappings.iter().rposition(Option::is_some);
        self.mapped = last.map_or(0, |at| at + 1);
    }

    /// Opens a free slice for the lease `handle`.
    pub(super) fn open(&mut self, slice: u32, handle: u64, owner: Owner) {
        if let Some(slice) = self.slices.get_mut(slice as usize) {
            slice.handle = handle;
            slice.hidden = owner == Owner::Driver;
        }
    }

    /// The slice of the lease `handle`, if that has not ended.
    pub(crate) fn of(&mut self, slice: u32, handle: u64) -> Option<&mut Slice> {
        self.slices
            .get_mut(slice as usize)
            .filter(|slice| slice.handle == handle)
    }

    /// Clears the slice of the lease `handle` and takes its frames.
    pub(super) fn clear(&mut self, slice: u32, handle: u64) -> FrameList {
        match self.of(slice, handle) {
            Some(slice) => ::core::mem::replace(slice, Slice::EMPTY).list,
            None => FrameList::EMPTY,
        }
    }
}

impl Slice {
    pub(crate) fn list(&mut self) -> &mut FrameList {
        &mut self.list
    }

    pub(super) fn complete(&mut self) {
        self.complete = true;
    }
}

impl Partition {
    /// mmap(): the reserve or the lease window, whole. EINVAL, EPERM, EBUSY, ENOMEM.
    /// Context: thread, under the mmap lock.
    pub(crate) fn mmap(&self, vma: &VmaNew) -> Result {
        match vma::window_offset(vma) {
            RESERVE_OFFSET => self.reserve.map(vma),
            LEASE_OFFSET => self.map_window(vma),
            _ => Err(EINVAL),
        }
    }

    /// Maps the lease window, empty. Context: thread, under the mmap lock.
    ///
    /// EBUSY if it is mapped as often as it can be.
    pub(super) fn map_window(&self, vma: &VmaNew) -> Result {
        let pages = lease_pages(&self.attributes);
        if pages == 0 || vma::window_length(vma) != pages << PAGE_SHIFT {
            return Err(EINVAL);
        }
        // Before the place is taken: this may fail, and builds page tables.
        if self.windows.lock().mappings.iter().all(Option::is_some) {
            return Err(EBUSY);
        }
        let key = vma::prepare_window(vma, self)?;
        match self.windows.lock().enter(key) {
            true => Ok(()),
            false => Err(EBUSY),
        }
    }

    /// Maps the lease in `slice` into `vma`, all of it in one walk; false if
    /// there is none, or not yet. The caller holds the lock of `windows`.
    pub(super) fn map_slice(&self, windows: &Windows, vma: &LeaseVma<'_>, slice: u32) -> bool {
        let Some(entry) = windows.slices.get(slice as usize) else {
            return false;
        };
        if !entry.complete || entry.hidden {
            return false;
        }
        vma.map(
            self.slice_start(slice),
            entry.list.len(),
            self.account.pool().free_frames.walk(&entry.list),
            self.account.pool().free_frames.frames(),
        )
        .is_ok()
    }
}

impl Partition {
    /// The first page of a slice in the lease window.
    pub(super) fn slice_start(&self, slice: u32) -> u32 {
        slice.saturating_mul(self.attributes.slice_pages)
    }

    /// Unmaps the first `count` pages of a slice everywhere. The caller holds the lock
    /// of `windows`.
    ///
    /// Where the caller itself has the window, that takes less work, if the mmap lock
    /// is to be had at once: it must not wait for that, being below in the order.
    pub(super) fn unmap_slice(&self, windows: &Windows, slice: u32, count: u32) {
        /// For so many the way there is not worth it.
        const FEW: u32 = 8;

        let first = self.slice_start(slice);
        let zap = || {
            let offset = LEASE_OFFSET + (u64::from(first) << PAGE_SHIFT);
            self.zap(offset, u64::from(count) << PAGE_SHIFT);
        };
        let cpu = match count > FEW {
            true => windows.next_in(AddressSpaceId::current(), 0),
            false => None,
        };
        let done = cpu.and_then(|(key, _)| {
            vma::try_in_window(key, self, |vma| {
                vma.begin_unmap(first, count);
                zap();
            })
        });
        if done.is_none() {
            zap();
        }
    }

    /// A touch of a page that is not mapped: by a process other than the
    /// borrower, to which the lease is mapped now, or outside of any lease.
    pub(crate) fn fault(&self, vma: &LeaseVma<'_>, page: u32) -> bool {
        let length = self.attributes.slice_pages;
        let (Some(slice), Some(within)) = (page.checked_div(length), page.checked_rem(length))
        else {
            return false;
        };
        let windows = self.windows.lock();
        let lent = windows
            .slices
            .get(slice as usize)
            .is_some_and(|entry| within < entry.list.len());
        lent && self.map_slice(&windows, vma, slice)
    }

    /// A mapping of the window is gone.
    pub(crate) fn closed(&self, key: WindowKey) {
        self.windows.lock().forget(key);
    }
}
