// SPDX-License-Identifier: GPL-2.0

//! Mappings of the files that GenP creates.

use core::marker::PhantomData;

use kernel::{
    bindings, current,
    error::to_result,
    ffi::{c_uint, c_ulong, c_void},
    mm::{virt::VmaNew, MmWithUser, MmapReadGuard},
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
    task::CurrentTask,
};

use super::{
    file::{FileOwner, LeaseFile},
    genalloc::Carveout,
    glue, headroom,
    page::FrameTable,
};
use crate::genp::core::count::Count;

/// The offset in the file at which a mapping begins.
pub(crate) fn window_offset(vma: &VmaNew) -> u64 {
    // SAFETY: the mapping is being made, by its type.
    unsafe { glue::genp_vma_offset(vma.as_ptr()) }
}

/// The length of a mapping in bytes.
pub(crate) fn window_length(vma: &VmaNew) -> u64 {
    // SAFETY: the mapping is being made, by its type.
    unsafe { glue::genp_vma_length(vma.as_ptr()) }
}

/// EINVAL for a private mapping, EPERM for an executable one.
pub(crate) fn check_kind(vma: &VmaNew) -> Result {
    // SAFETY: the mapping is being made, by its type.
    if !unsafe { glue::genp_vma_is_shared(vma.as_ptr()) } {
        return Err(EINVAL);
    }
    // SAFETY: as above.
    if unsafe { glue::genp_vma_is_exec(vma.as_ptr()) } {
        return Err(EPERM);
    }
    Ok(())
}

/// Whether there is memory for the page tables of a mapping: ENOMEM. Context: thread, may
/// sleep.
fn check_page_tables(vma: &VmaNew) -> Result {
    /// Page tables that a mapping may need beyond those it fills: one more at the end, and
    /// one of each level above.
    const OTHERS: usize = 5;

    let pages = usize::try_from(window_length(vma)).map_err(|_| ENOMEM)? >> PAGE_SHIFT;
    // A page table has one page of 8-byte entries, or of 4-byte ones.
    let tables = (pages / (PAGE_SIZE / size_of::<usize>())).saturating_add(OTHERS);
    headroom::check(tables.saturating_mul(PAGE_SIZE))
}

/// What the entry points of a mapping get: its owner.
fn owner_data<T: FileOwner>(owner: &T) -> *mut c_void {
    core::ptr::from_ref(owner).cast_mut().cast()
}

/// Maps frames, all of them at once. They can be pinned like other user pages.
/// Context: thread, in mmap(); may sleep.
pub(crate) fn map_reserve<T: FileOwner>(
    vma: &VmaNew,
    owner: &T,
    frames: &FrameTable,
    list: &[u32],
) -> Result {
    const INSERT_BATCH: usize = 64;

    check_kind(vma)?;
    check_page_tables(vma)?;
    // SAFETY: the mapping is being made, by its type; it holds a reference to the file,
    // which keeps the owner alive for as long as the mapping exists.
    unsafe { glue::genp_vma_prepare_reserve(vma.as_ptr(), owner_data(owner)) };
    let mut address = vma.start();
    // loop-bound: reserve_pages / INSERT_BATCH + 1
    for part in list.chunks(INSERT_BATCH) {
        let mut pages = [core::ptr::null_mut(); INSERT_BATCH];
        // loop-bound: INSERT_BATCH
        for (page, frame) in pages.iter_mut().zip(part) {
            *page = frames.page(*frame);
            if page.is_null() {
                return Err(EINVAL);
            }
        }
        // SAFETY: the mapping is being made and has room for these pages, by the
        // caller's check of its length; the pages are of order 0 and ours.
        to_result(unsafe {
            glue::genp_vma_insert(vma.as_ptr(), address, pages.as_mut_ptr(), part.len())
        })?;
        address.raise(part.len().times(PAGE_SIZE));
    }
    // SAFETY: the mapping is being made, and all of it is populated.
    to_result(unsafe { glue::genp_vma_seal(vma.as_ptr()) })
}

/// A page fault in a mapping of a reserve.
pub(crate) struct ReserveFault<'a> {
    vmf: *mut bindings::vm_fault,
    _during: PhantomData<&'a ()>,
}

impl ReserveFault<'_> {
    /// # Safety
    ///
    /// `vmf` is a page fault in a mapping of a reserve, for the lifetime of the result.
    pub(crate) unsafe fn new(vmf: *mut bindings::vm_fault) -> Self {
        Self {
            vmf,
            _during: PhantomData,
        }
    }

    /// Maps the frame where the fault is; returns what the kernel is to be told, which is
    /// never 0. The caller has seen to it that the frame stays the reserve's meanwhile.
    /// Context: thread, may sleep.
    pub(crate) fn insert(&self, frames: &FrameTable, frame: u32) -> c_uint {
        let page = frames.page(frame);
        if page.is_null() {
            return 0;
        }
        // SAFETY: a page fault in a mapping of a reserve, by the type; the page is a single
        // one and ours.
        unsafe { glue::genp_vma_fault_in(self.vmf, page) }
    }
}

/// What a page fault is answered with: a page was mapped.
pub(crate) const FAULT_MAPPED: c_uint = bindings::vm_fault_reason_VM_FAULT_NOPAGE;
/// There is a memory error in the page: the signal SIGBUS, with BUS_MCEERR_AR.
pub(crate) const FAULT_POISONED: c_uint = bindings::vm_fault_reason_VM_FAULT_HWPOISON;

/// Maps a carveout, all of it at once but for pages with memory errors. Its pages cannot be pinned. Context: thread, in
/// mmap(); may sleep.
pub(crate) fn map_carveout<T: FileOwner>(vma: &VmaNew, owner: &T, carveout: &Carveout) -> Result {
    check_kind(vma)?;
    if window_length(vma) != carveout.bytes() as u64 {
        return Err(EINVAL);
    }
    check_page_tables(vma)?;
    // SAFETY: the mapping is being made and has the length of the carveout, which exists
    // for as long as the mapping holds the file.
    to_result(unsafe { glue::genp_vma_map_range(vma.as_ptr(), carveout.phys()) })?;
    // SAFETY: the mapping is being made; it holds a reference to the file, which keeps the
    // owner alive for as long as the mapping exists.
    unsafe { glue::genp_vma_handle_range_faults(vma.as_ptr(), owner_data(owner)) };
    // SAFETY: the mapping is being made, and all of it is populated.
    to_result(unsafe { glue::genp_vma_seal(vma.as_ptr()) })
}

/// Identifies an address space. Never dereferenced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressSpaceId(usize);

impl AddressSpaceId {
    /// The one that a mapping is being made in.
    pub(crate) fn of(vma: &VmaNew) -> Self {
        Self(vma.mm().as_raw() as usize)
    }

    /// The caller's; for a kernel thread one that no process has. Context: thread.
    pub(crate) fn current() -> Self {
        Self(current!().mm().map_or(0, |mm| mm.as_raw() as usize))
    }
}

/// Identifies a mapping of a lease window. Never dereferenced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct WindowKey {
    mm: usize,
    start: usize,
}

impl WindowKey {
    /// The key of the mapping at `start` in the address space at `mm`.
    pub(crate) fn new(mm: usize, start: usize) -> Self {
        Self { mm, start }
    }

    /// Whether it is a mapping in this address space.
    pub(crate) fn is_in(&self, space: AddressSpaceId) -> bool {
        self.mm == space.0
    }
}

/// Sets a mapping of a file up as a lease window of the file's owner, with all its page
/// tables. Context: thread, in mmap(); may sleep.
pub(crate) fn prepare_window<T: FileOwner>(vma: &VmaNew, owner: &T) -> Result<WindowKey> {
    check_kind(vma)?;
    check_page_tables(vma)?;
    // SAFETY: the mapping is being made; it holds a reference to the file, which
    // keeps the owner alive for as long as the mapping exists.
    to_result(unsafe { glue::genp_vma_prepare_window(vma.as_ptr(), owner_data(owner)) })?;
    Ok(WindowKey::new(vma.mm().as_raw() as usize, vma.start()))
}

/// Makes a lease window a mapping of `leases` instead of the partition's file, of which it
/// keeps a reference. mmap() must succeed after this. Context: thread, in mmap().
pub(crate) fn adopt_window(vma: &VmaNew, leases: &LeaseFile) {
    // SAFETY: the mapping is being made, and is a lease window, whose operations give up
    // the reference; `leases` is a file of lease windows, by its type.
    unsafe { glue::genp_vma_adopt_window(vma.as_ptr(), leases.as_ptr()) }
}

/// A lease window that cannot change: the mmap lock is held, or a page fault is being
/// handled.
pub(crate) struct LeaseVma<'a> {
    vma: *mut bindings::vm_area_struct,
    _held: PhantomData<&'a ()>,
}

impl LeaseVma<'_> {
    /// # Safety
    ///
    /// `vma` is a lease window, and stays one for the lifetime of the result.
    pub(crate) unsafe fn new(vma: *mut bindings::vm_area_struct) -> Self {
        Self {
            vma,
            _held: PhantomData,
        }
    }

    /// Maps the next `count` frames of a list from page `first` on, in one walk of the page
    /// tables. Pages that are mapped there already stay. Context: thread; allocates nothing.
    pub(crate) fn map<I: Iterator<Item = u32> + Clone>(
        &self,
        first: u32,
        count: u32,
        list: &mut I,
        frames: &FrameTable,
    ) -> Result {
        let mut pages = Pages { list, frames };
        // SAFETY: a lease window that cannot change, by the type, whose page tables were
        // allocated when it was made; `pages` lives during the call.
        to_result(unsafe {
            glue::genp_vma_map_frames(
                self.vma,
                first as usize,
                count as usize,
                Some(Pages::<I>::next),
                core::ptr::from_mut(&mut pages).cast(),
            )
        })
    }

    /// Begins to unmap `count` pages from `first` on; the caller has the kernel unmap
    /// them afterwards, under the same lock. Context: thread.
    pub(crate) fn begin_unmap(&self, first: u32, count: u32) {
        // SAFETY: a lease window that cannot change, by the type.
        unsafe { glue::genp_vma_clear_frames(self.vma, first as usize, count as usize) }
    }
}

/// The pages of frames, for a walk of page tables.
struct Pages<'a, I> {
    list: &'a mut I,
    frames: &'a FrameTable,
}

impl<I: Iterator<Item = u32> + Clone> Pages<'_, I> {
    /// Writes the next pages to `to`, at most `most`; returns their number.
    ///
    /// # Safety
    ///
    /// `pages` is what was passed to the walk with this function, and there is room for
    /// `most` pages at `to`.
    unsafe extern "C" fn next(
        pages: *mut c_void,
        to: *mut *mut bindings::page,
        most: c_ulong,
    ) -> c_ulong {
        // SAFETY: by the precondition, the `Pages` of `LeaseVma::map`.
        let pages = unsafe { &mut *pages.cast::<Self>() };
        // SAFETY: by the precondition.
        let to = unsafe { core::slice::from_raw_parts_mut(to, most) };
        // A local copy is kept in registers during the loop.
        let mut list = pages.list.clone();
        let mut given = 0;
        // loop-total: mappings * lease_pages
        for (page, frame) in to.iter_mut().zip(&mut list) {
            *page = pages.frames.page(frame);
            if page.is_null() {
                break;
            }
            given += 1;
        }
        *pages.list = list;
        given
    }
}

/// Does `work` with the lease window `key` of `owner` under the mmap lock; `None` if it is
/// not in the current address space. Context: thread, may sleep for the mmap lock.
pub(crate) fn in_window<T: FileOwner, R>(
    key: WindowKey,
    owner: &T,
    work: impl FnOnce(&LeaseVma<'_>) -> R,
) -> Option<R> {
    let current = current!();
    let mm = own_space(current, key)?.mmap_read_lock();
    Some(work(&window_at(&mm, key, owner)?))
}

/// As [`in_window`], but also `None` if the mmap lock cannot be taken at once.
/// Context: thread; sleeps as `work` does.
pub(crate) fn try_in_window<T: FileOwner, R>(
    key: WindowKey,
    owner: &T,
    work: impl FnOnce(&LeaseVma<'_>) -> R,
) -> Option<R> {
    let current = current!();
    let mm = own_space(current, key)?.mmap_read_trylock()?;
    Some(work(&window_at(&mm, key, owner)?))
}

/// The current address space, if the mapping is in it.
fn own_space(current: &CurrentTask, key: WindowKey) -> Option<&MmWithUser> {
    current
        .mm()
        .filter(|mm| key.is_in(AddressSpaceId(mm.as_raw() as usize)))
}

/// The mapping `key`, if it is a lease window of `owner`, for as long as the mmap lock is
/// held.
fn window_at<'a, T: FileOwner>(
    mm: &'a MmapReadGuard<'_>,
    key: WindowKey,
    owner: &T,
) -> Option<LeaseVma<'a>> {
    let vma = mm.vma_lookup(key.start)?;
    // SAFETY: the mmap lock is held, so the mapping exists; the owner is only compared.
    let ours = unsafe { glue::genp_vma_is_window(vma.as_ptr(), core::ptr::from_ref(owner).cast()) };
    // SAFETY: a lease window by the check, which cannot change while the guard lives.
    (ours && vma.start() == key.start).then(|| unsafe { LeaseVma::new(vma.as_ptr()) })
}
