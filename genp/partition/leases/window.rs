// SPDX-License-Identifier: GPL-2.0

//! The lease window: one slice of address space for each lease.
//!
//! A slice is as long as the borrow limit, so a lease always finds room, no
//! matter how leases came and went, and the rest of its slice is a guard.

use kernel::{
    mm::virt::VmaNew,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{lock::Guard, SetOnce},
};

use super::{
    slices::{Piece, Slices},
    walk::{Frames, Walk},
};
use crate::genp::{
    pool::account::PoolAccount,
    sys::{
        atomic::InlineAtomic,
        file::{FileOwner, LeaseFile},
        lock::{new_pi_mutex, Pi, PiMutex},
        page::FrameTable,
        time,
        vma::{self, AddressSpaceId, LeaseVma, WindowKey, FAULT_MAPPED, FAULT_POISONED},
    },
};

/// File offset of the lease window: above any reserve.
pub(crate) const LEASE_OFFSET: u64 = 1 << 42;

/// The lease window of a partition.
///
/// A function that takes an `owner` gets the partition whose file is mapped, by which a
/// mapping is known to be of this window.
#[pin_data]
pub(crate) struct LeaseWindow {
    account: PoolAccount,
    /// Slices, one for each lease that the partition can have.
    max_leases: u32,
    /// Pages of a slice: the borrow limit at create.
    slice_pages: u32,
    /// Whether an address space may have several mappings of it.
    multimap: bool,
    /// How often it was not mapped because it is mapped already.
    refusals: InlineAtomic,
    #[pin]
    slices: PiMutex<Slices>,
    /// What the windows are mappings of, by which all of them are found. Not the file of
    /// the partition: nobody waits here for somebody who changes the reserve.
    file: SetOnce<LeaseFile>,
}

impl LeaseWindow {
    /// A window of `max_leases` empty slices of `slice_pages` pages, whose product has 32
    /// bits.
    pub(super) fn new(
        account: PoolAccount,
        max_leases: u32,
        slice_pages: u32,
        multimap: bool,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            account,
            max_leases,
            slice_pages,
            multimap,
            refusals: InlineAtomic::new(0),
            slices <- new_pi_mutex!(Slices::new(), "genp_windows"),
            file: SetOnce::new(),
        })
    }

    /// Gives it the file of its mappings, once.
    pub(in crate::genp::partition) fn set_file(&self, file: LeaseFile) {
        self.file.populate(file);
    }

    /// Context: thread, may sleep for one batch of a borrower's filling or one walk of its
    /// page tables.
    pub(super) fn lock(&self) -> Guard<'_, Slices, Pi> {
        self.slices.lock()
    }

    /// What the partition has at the pool.
    pub(super) fn account(&self) -> &PoolAccount {
        &self.account
    }

    /// Unmaps one page everywhere. Context: thread, with the lock of the slices; may sleep.
    pub(super) fn unmap_page(&self, offset: u64) {
        if let Some(file) = self.file.as_ref() {
            file.mapping().zap(offset, 1 << PAGE_SHIFT);
        }
    }

    /// Slices it has.
    pub(in crate::genp::partition) fn max_leases(&self) -> u32 {
        self.max_leases
    }

    /// Pages of a slice.
    pub(in crate::genp::partition) fn slice_pages(&self) -> u32 {
        self.slice_pages
    }

    /// Its length in bytes.
    pub(in crate::genp::partition) fn length(&self) -> u64 {
        (u64::from(self.max_leases) * u64::from(self.slice_pages)) << PAGE_SHIFT
    }

    /// The first page of a slice.
    fn slice_start(&self, slice: u32) -> u32 {
        slice.saturating_mul(self.slice_pages)
    }

    /// The file offset of a slice.
    pub(super) fn slice_offset(&self, slice: u32) -> u64 {
        Self::page_offset(self.slice_start(slice))
    }

    /// The file offset of a page of the window.
    fn page_offset(page: u32) -> u64 {
        LEASE_OFFSET + (u64::from(page) << PAGE_SHIFT)
    }

    /// EBUSY if it is mapped as often as it can be, EMLINK if the address space has it
    /// already and may not have it twice. Nobody else maps it there: the mmap lock is held.
    fn may_map(&self, vma: &VmaNew) -> Result {
        let slices = self.lock();
        let refused = if slices.is_full() {
            Some(EBUSY)
        } else if !self.multimap && slices.next_in(AddressSpaceId::of(vma), 0).is_some() {
            Some(EMLINK)
        } else {
            None
        };
        match refused {
            None => Ok(()),
            Some(error) => {
                self.refusals.add(1);
                Err(error)
            }
        }
    }

    /// How often it was not mapped because it is mapped already. Context: any.
    pub(super) fn refusals(&self) -> u64 {
        self.refusals.load()
    }

    /// Maps the window, empty: EINVAL for another length, the errors of [`Self::may_map`],
    /// and those of [`vma::prepare_window`]. Context: thread, under the mmap lock; may sleep.
    pub(in crate::genp::partition) fn map<T: FileOwner>(&self, owner: &T, vma: &VmaNew) -> Result {
        let length = self.length();
        if length == 0 || vma::window_length(vma) != length {
            return Err(EINVAL);
        }
        let file = self.file.as_ref().ok_or(EINVAL)?;
        // Before the entry is taken: this may fail, and builds page tables.
        vma::check_kind(vma)?;
        self.may_map(vma)?;
        let key = vma::prepare_window(vma, owner)?;
        let mut slices = self.lock();
        if !slices.add_mapping(key) {
            self.refusals.add(1);
            return Err(EBUSY);
        }
        self.tell_mappings(&slices);
        drop(slices);
        vma::adopt_window(vma, file);
        Ok(())
    }

    /// Has the account know how often the window is mapped.
    fn tell_mappings(&self, slices: &Slices) {
        let mappings = slices.mappings();
        self.account
            .with_lending(|state, id| state.accounting.set_mappings(id, mappings));
    }

    /// Maps the frames of the lease `handle` into `vma`, in pieces, each under the lock:
    /// whoever ends the lease waits for one piece at most. `None` if the lease has ended,
    /// otherwise whether it is mapped, but for pages with memory errors. Context: thread, may
    /// sleep.
    fn map_pieces(&self, vma: &LeaseVma<'_>, slice: u32, handle: u64) -> Option<bool> {
        let pool = self.account.pool();
        let start = self.slice_start(slice);
        let mut walk = Walk::new(&pool.free_frames, slice, handle);
        // loop-total: mappings * (lease_pages / PIECE + 2)
        loop {
            let mapped = walk.piece(&mut self.lock(), |entry, Frames { iter, first, count }| {
                if count == 0 || !entry.is_mappable() {
                    return Some(entry.is_mappable());
                }
                let first = start.saturating_add(first);
                let mapped = match self.is_suspect(entry) {
                    true => self.map_sound(iter, count, vma, first),
                    false => vma.map(first, count, iter, pool.free_frames.frames()),
                };
                mapped.is_err().then_some(false)
            })?;
            if mapped.is_some() {
                return mapped;
            }
        }
    }

    /// Maps the lease `handle` wherever the caller's address space has the window. Where
    /// another one has it, a touch maps it. False if the lease has ended. Context: thread,
    /// may sleep. At most one walk for each mapping of the window.
    pub(super) fn map_lease<T: FileOwner>(&self, owner: &T, slice: u32, handle: u64) -> bool {
        let space = AddressSpaceId::current();
        let mut from = 0;
        // loop-bound: mappings + 1
        loop {
            let next = self.lock().next_in(space, from);
            let Some((key, behind)) = next else {
                return true;
            };
            from = behind;
            let mapped = vma::in_window(key, owner, |vma| self.map_pieces(vma, slice, handle));
            // None: it is no mapping of the window any more.
            if mapped == Some(None) {
                return false;
            }
        }
    }

    /// Unmaps some pages of a slice everywhere. Context: thread, may sleep.
    ///
    /// Where the caller itself has the window, that takes less work, if the mmap lock
    /// is free: it must not be waited for, because it comes before this lock in the order.
    #[inline(never)]
    pub(super) fn unmap_piece<T: FileOwner>(&self, slices: &Slices, owner: &T, piece: &Piece) {
        /// Up to this many pages, finding the mapping costs more than it saves.
        const FEW: u32 = 8;

        let first = self.slice_start(piece.slice).saturating_add(piece.first);
        let count = piece.count;
        // To the kernel, a length of 0 is all up to the end.
        if count == 0 {
            return;
        }
        let zap = || {
            if let Some(file) = self.file.as_ref() {
                let bytes = u64::from(count) << PAGE_SHIFT;
                file.mapping().zap(Self::page_offset(first), bytes);
            }
        };
        let own = match count > FEW {
            true => slices.next_in(AddressSpaceId::current(), 0),
            false => None,
        };
        let done = own.and_then(|(key, _)| {
            vma::try_in_window(key, owner, |vma| {
                vma.begin_unmap(first, count);
                zap();
            })
        });
        if done.is_none() {
            zap();
        }
    }

    /// The slice that a page of the window is in, and where in that.
    fn slice_of(&self, page: u32) -> Option<(u32, u32)> {
        let length = self.slice_pages;
        Some((page.checked_div(length)?, page.checked_rem(length)?))
    }

    /// Does `work` with the frame that is mapped at a page of the window, or would be after
    /// a touch; `None` if nothing is lent there, or with a memory error. Nobody ends the
    /// lease meanwhile, so `work` is short. Context: thread, under the mmap lock; may sleep.
    /// Linear in the pages of the lease, as mapping it is.
    pub(crate) fn with_frame<R>(
        &self,
        page: u32,
        work: impl FnOnce(&FrameTable, u32) -> R,
    ) -> Option<R> {
        let (slice, within) = self.slice_of(page)?;
        let handle = self.lock().get(slice)?.handle();
        let frames = self.account.pool().free_frames.frames();
        self.at_frame(slice, handle, within, |frame| {
            (!self.account.poisoned(frame)).then(|| work(frames, frame))
        })?
    }

    /// Does `work` with the frame of a page of the lease `handle`, as [`Self::with_frame`].
    fn at_frame<R>(
        &self,
        slice: u32,
        handle: u64,
        within: u32,
        work: impl FnOnce(u32) -> R,
    ) -> Option<R> {
        let free_frames = &self.account.pool().free_frames;
        let mut walk = Walk::new(free_frames, slice, handle);
        let mut work = Some(work);
        // loop-bound: lease_pages / PIECE + 2
        loop {
            let done = walk.piece(&mut self.lock(), |entry, Frames { iter, first, count }| {
                if count == 0 || !entry.is_mappable() {
                    return Some(None);
                }
                let left = within.saturating_sub(first).min(count);
                // CAST: at most PIECE.
                // loop-bound: lease_pages
                let frame = iter.by_ref().take(count as usize).nth(left as usize);
                if left == count {
                    return None;
                }
                Some(frame.and_then(|frame| Some(work.take()?(frame))))
            })?;
            if let Some(answer) = done {
                return answer;
            }
        }
    }

    /// A page fault: maps the lease in a mapping that did not exist when it was granted, or
    /// that belongs to another process. Returns what the kernel is to be told, or 0 for a
    /// page outside of any lease. Context: thread, in a page fault; may sleep.
    pub(crate) fn fault(&self, vma: &LeaseVma<'_>, page: u32) -> u32 {
        let Some((slice, within)) = self.slice_of(page) else {
            return 0;
        };
        let slices = self.lock();
        let found = slices.mappable(slice);
        let Some((handle, pages)) = found.filter(|&(_, pages)| within < pages) else {
            return 0;
        };
        let suspect = slices
            .get(slice)
            .is_some_and(|entry| self.is_suspect(entry));
        drop(slices);
        let poisoned = |frame| self.account.poisoned(frame);
        // loop-bound: lease_pages / PIECE + 2
        if suspect && self.at_frame(slice, handle, within, poisoned) == Some(true) {
            return FAULT_POISONED;
        }
        if self.map_pieces(vma, slice, handle) != Some(true) {
            return 0;
        }
        // Whoever ends the lease unmaps it once more.
        let now = time::now();
        self.account
            .with_lending(|state, id| state.accounting.charge_mapping(id, now, pages));
        FAULT_MAPPED
    }

    /// A mapping of the window is gone. Context: thread, may sleep.
    pub(crate) fn closed(&self, key: WindowKey) {
        let mut slices = self.lock();
        slices.remove_mapping(key);
        self.tell_mappings(&slices);
    }
}
