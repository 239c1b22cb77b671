// SPDX-License-Identifier: GPL-2.0

//! Physical ranges, and carveouts of memory that the kernel's genalloc manages.
//!
//! genalloc has BUG_ON() for wrong arguments, so all arguments are checked here before,
//! and a carveout is given back exactly once, when its owner is dropped.

use core::ptr::NonNull;

use kernel::{
    error::to_result,
    page::{PAGE_MASK, PAGE_SIZE},
    prelude::*,
    sync::Arc,
};

use super::{
    abi::gen_pool, errno::EOPNOTSUPP, genalloc_errors::Rejected, glue, memory_error::phys_poisoned,
};
use crate::genp::core::count::Count;

/// Bytes that are zeroed between two calls of cond_resched().
const ZERO_BATCH: usize = 64 * PAGE_SIZE;

fn is_aligned(address: u64) -> bool {
    address & (PAGE_SIZE as u64 - 1) == 0
}

/// Whether this kernel has genalloc.
pub(crate) fn has_genalloc() -> bool {
    // SAFETY: no precondition.
    unsafe { glue::genp_has_genalloc() }
}

/// The parameter `range_base`.
pub(crate) fn range_base() -> u64 {
    // SAFETY: no precondition; it was set before the module's init and does not change.
    unsafe { glue::genp_range_base() }
}

/// Zeroes memory. Context: thread, may sleep. Linear.
///
/// # Safety
///
/// `bytes` bytes from `start` on are mapped, and nobody else uses them.
unsafe fn zero(start: NonNull<u8>, bytes: usize) {
    for offset in (0..bytes).step_by(ZERO_BATCH) {
        // SAFETY: `offset` is below `bytes`, and the rest or less is zeroed.
        unsafe {
            let from = start.as_ptr().add(offset);
            glue::genp_zero(from.cast(), ZERO_BATCH.min(bytes.minus(offset)));
            glue::genp_cond_resched();
        }
    }
}

/// A physical range that GenP has claimed, managed by a pool of genalloc.
pub(crate) struct PhysRange {
    phys: u64,
    bytes: usize,
    virt: NonNull<u8>,
    pool: NonNull<gen_pool>,
}

// SAFETY: owns the range and its mapping, which may be used from any thread.
unsafe impl Send for PhysRange {}
// SAFETY: through a shared reference only genalloc is called, which synchronises.
unsafe impl Sync for PhysRange {}

impl PhysRange {
    /// Claims a range: EBUSY if it is in use (as all ordinary memory is), EPERM if it is
    /// not reserved memory, ENXIO if it is not memory, EOPNOTSUPP if the kernel has no
    /// genalloc, ENOMEM. Context: thread, may sleep. Linear in the range, which is zeroed.
    pub(crate) fn claim(phys: u64, bytes: usize) -> Result<Self> {
        let end = phys.checked_add(bytes as u64).ok_or(EINVAL)?;
        if bytes == 0 || !is_aligned(phys) || !is_aligned(end) {
            return Err(EINVAL);
        }
        if !has_genalloc() {
            return Err(EOPNOTSUPP);
        }
        // SAFETY: a range that is not empty and does not wrap around.
        to_result(unsafe { glue::genp_range_claim(phys, bytes) })?;
        Self::map(phys, bytes).inspect_err(|_| {
            // SAFETY: claimed above, and not mapped any longer.
            unsafe { glue::genp_range_release(phys, bytes) }
        })
    }

    fn map(phys: u64, bytes: usize) -> Result<Self> {
        // SAFETY: a range that is ours.
        let virt = unsafe { glue::genp_range_map(phys, bytes) };
        let virt = NonNull::new(virt.cast::<u8>()).ok_or(ENOMEM)?;
        // SAFETY: `bytes` bytes were just mapped there.
        let pool = unsafe { Self::probe(virt, phys, bytes) }.and_then(|()| {
            // SAFETY: memory that is ours, whole pages.
            let pool = unsafe { glue::genp_genpool_create(virt.as_ptr().cast(), phys, bytes) };
            NonNull::new(pool).ok_or(ENOMEM)
        });
        match pool {
            Ok(pool) => Ok(Self {
                phys,
                bytes,
                virt,
                pool,
            }),
            Err(error) => {
                // SAFETY: mapped above, and nobody uses it.
                unsafe { glue::genp_range_unmap(virt.as_ptr().cast()) };
                Err(error)
            }
        }
    }

    /// Checks whether each page keeps what is written there, and zeroes it, but for pages with
    /// memory errors.
    ///
    /// # Safety
    ///
    /// As [`zero`]; the memory is at this physical address.
    unsafe fn probe(virt: NonNull<u8>, phys: u64, bytes: usize) -> Result {
        let sound = || {
            let pages = (0..bytes).step_by(PAGE_SIZE);
            pages.filter(|offset| !phys_poisoned(phys.saturating_add(*offset as u64)))
        };
        for offset in sound() {
            // SAFETY: the first word of a page within the mapping. Volatile, because it
            // may not be memory at all.
            unsafe {
                let word = virt.as_ptr().add(offset).cast::<usize>();
                word.write_volatile(!offset);
            }
        }
        for offset in sound() {
            // SAFETY: as above.
            let found = unsafe { virt.as_ptr().add(offset).cast::<usize>().read_volatile() };
            if found != !offset {
                return Err(ENXIO);
            }
        }
        for offset in sound() {
            // SAFETY: a page within the mapping, by the precondition.
            unsafe { zero(virt.add(offset), PAGE_SIZE) };
        }
        Ok(())
    }

    /// The length in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that are not allocated.
    pub(crate) fn free_bytes(&self) -> usize {
        // SAFETY: our pool.
        unsafe { glue::genp_genpool_avail(self.pool.as_ptr()) }
    }
}

impl Drop for PhysRange {
    fn drop(&mut self) {
        // SAFETY: each carveout holds a reference to this, so all were given back: nobody
        // uses the mapping, and once it is gone nobody uses the range.
        unsafe {
            glue::genp_genpool_destroy(self.pool.as_ptr());
            glue::genp_range_unmap(self.virt.as_ptr().cast());
            glue::genp_range_release(self.phys, self.bytes);
        }
    }
}

/// A genalloc pool of a driver.
#[derive(Clone, Copy)]
pub(crate) struct DriverPool(NonNull<gen_pool>);

impl DriverPool {
    /// `None` for NULL.
    ///
    /// # Safety
    ///
    /// `pool` is NULL, or a pool that exists for as long as carveouts of it do.
    pub(crate) unsafe fn new(pool: *mut gen_pool) -> Option<Self> {
        NonNull::new(pool).map(Self)
    }
}

/// Where a carveout comes from.
#[derive(Clone)]
pub(crate) enum Source {
    /// The range that was given at load.
    Range(Arc<PhysRange>),
    /// A pool of a driver.
    Driver(DriverPool),
}

impl Source {
    fn pool(&self) -> *mut gen_pool {
        match self {
            Self::Range(range) => range.pool.as_ptr(),
            Self::Driver(pool) => pool.0.as_ptr(),
        }
    }
}

/// Physically contiguous memory. Dropping it zeroes it and gives it back.
pub(crate) struct Carveout {
    source: Source,
    virt: NonNull<u8>,
    phys: u64,
    bytes: usize,
    owner: usize,
}

// SAFETY: owns the memory, which may be used from any thread.
unsafe impl Send for Carveout {}
// SAFETY: a shared reference gives only its address.
unsafe impl Sync for Carveout {}

impl Carveout {
    /// Takes whole pages, zeroed: E2BIG for more than the pool has in all, ENOSPC if it
    /// has not enough now without memory errors, EOPNOTSUPP without genalloc, EINVAL for a pool that does not
    /// know physical addresses or whose units are not aligned to pages. Context: thread,
    /// may sleep. Linear in the pool and in the bytes.
    pub(crate) fn take(source: Source, bytes: u64) -> Result<Self> {
        if !has_genalloc() {
            return Err(EOPNOTSUPP);
        }
        let bytes = usize::try_from(bytes).map_err(|_| E2BIG)?;
        let pool = source.pool();
        // SAFETY: a pool that exists, by the type of the source.
        let (size, order) = unsafe {
            (
                glue::genp_genpool_size(pool),
                glue::genp_genpool_order(pool),
            )
        };
        // genalloc counts units in 32 bits.
        let units = bytes.checked_shr(order).unwrap_or(0);
        if bytes > size || u32::try_from(units).is_err() {
            return Err(E2BIG);
        }
        if bytes == 0 || bytes % PAGE_SIZE != 0 {
            return Err(EINVAL);
        }
        // SAFETY: the source keeps its pool, and lives longer.
        let mut rejected = unsafe { Rejected::new(pool, order) };
        loop {
            let piece = Self::take_piece(&source, bytes)?;
            match piece.first_error() {
                None => {
                    // SAFETY: memory that was just allocated.
                    unsafe { zero(piece.virt, bytes) };
                    return Ok(piece);
                }
                Some(_) => piece.reject(&mut rejected)?,
            }
        }
    }

    /// Takes whole pages as they are: ENOSPC, EINVAL.
    fn take_piece(source: &Source, bytes: usize) -> Result<Self> {
        let pool = source.pool();
        let mut owner = core::ptr::null_mut();
        // SAFETY: a pool that exists, and the caller checked the size.
        let virt = unsafe { glue::genp_genpool_alloc(pool, bytes, &mut owner) };
        let mut carveout = Self {
            source: source.clone(),
            virt: NonNull::new(virt.cast()).ok_or(ENOSPC)?,
            phys: 0,
            bytes,
            owner: owner as usize,
        };
        // SAFETY: as above; the address is in the pool.
        let known = unsafe { glue::genp_genpool_phys(pool, virt, &mut carveout.phys) };
        if !known || !is_aligned(carveout.phys) || virt as usize & !PAGE_MASK != 0 {
            return Err(EINVAL);
        }
        Ok(carveout)
    }

    /// Whether there is a memory error in one of its pages. Context: any.
    pub(crate) fn poisoned(&self, page: usize) -> bool {
        let offset = (page as u64).saturating_mul(PAGE_SIZE as u64);
        offset < self.bytes as u64 && phys_poisoned(self.phys.saturating_add(offset))
    }

    /// The first page with a memory error, if any has one.
    fn first_error(&self) -> Option<usize> {
        (0..self.bytes / PAGE_SIZE).find(|page| self.poisoned(*page))
    }

    /// The length in pages.
    pub(crate) fn pages(&self) -> u32 {
        (self.bytes / PAGE_SIZE) as u32
    }

    /// The length in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Its address in the kernel's mapping.
    pub(crate) fn start(&self) -> usize {
        self.virt.as_ptr() as usize
    }

    /// Gives it back but for its pages with memory errors: ENOSPC.
    fn reject(self, rejected: &mut Rejected) -> Result {
        let pages = self.bytes / PAGE_SIZE;
        // SAFETY: memory that `take_piece` took; it is not given back once more below.
        unsafe { rejected.keep(self.virt, pages, |page| self.poisoned(page))? };
        let this = core::mem::ManuallyDrop::new(self);
        // SAFETY: read once, and the rest needs no drop.
        drop(unsafe { core::ptr::read(&this.source) });
        Ok(())
    }

    /// Its physical address.
    pub(crate) fn phys(&self) -> u64 {
        self.phys
    }

    /// The owner tag of the genalloc chunk it is in.
    pub(crate) fn owner(&self) -> usize {
        self.owner
    }

    /// Whether it is in a pool of a driver.
    pub(crate) fn is_drivers(&self) -> bool {
        matches!(self.source, Source::Driver(_))
    }

    /// Whether a process may map it: the kernel's mapping must have the same attributes.
    /// That of the range has; a driver may have its memory uncached.
    pub(crate) fn is_mappable(&self) -> bool {
        // SAFETY: only the address is used.
        !self.is_drivers() || unsafe { glue::genp_addr_is_plain(self.virt.as_ptr().cast()) }
    }
}

impl Drop for Carveout {
    fn drop(&mut self) {
        let pages = self.bytes / PAGE_SIZE;
        // loop-bound: reserve_pages
        for page in (0..pages).filter(|page| !self.poisoned(*page)) {
            // SAFETY: a page of memory that is ours until it is given back.
            unsafe { zero(self.virt.add(page.times(PAGE_SIZE)), PAGE_SIZE) };
        }
        // SAFETY: gives back what `take_piece` took, with the same size.
        unsafe {
            glue::genp_genpool_free(self.source.pool(), self.virt.as_ptr().cast(), self.bytes);
        }
    }
}
