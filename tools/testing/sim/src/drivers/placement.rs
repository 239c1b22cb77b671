// SPDX-License-Identifier: GPL-2.0

//! What genalloc offers too: partitions in other memory, placed regions, addresses. And
//! whether a stock suffices.

use core::{
    ffi::{c_int, c_void},
    ptr::NonNull,
};

use kernel::{page::PAGE_SIZE, sim::fail};

use super::{Driver, PAGE};
use crate::genp::sys::{
    abi::{
        genp_burst, genp_chunk, genp_partition, genp_placement, genp_region, genp_spec,
        GENP_PLACE_FIXED, GENP_PLACE_NATURAL, GENP_SUFFICES_ALWAYS, GENP_ZERO,
    },
    glue,
};

const EINVAL: i32 = -22;

/// What the chunks of a reserve add up to.
#[derive(Default)]
struct Chunks {
    first: usize,
    end: usize,
    /// Whether to stop at the first one.
    one: bool,
}

unsafe extern "C" fn look(chunk: *const genp_chunk, data: *mut c_void) -> c_int {
    // SAFETY: what `chunks` passes.
    let (chunk, sums) = unsafe { (&*chunk, &mut *data.cast::<Chunks>()) };
    let virt = chunk.virt as usize;
    if sums.end != 0 && sums.end != virt {
        fail("a chunk of a reserve does not follow the one before");
    }
    if sums.first == 0 {
        sums.first = virt;
    }
    sums.end = virt + chunk.size;
    sums.one.into()
}

impl Driver {
    /// Creates a partition in the pool, in the module's range or in a pool of genalloc's.
    ///
    /// # Safety
    ///
    /// `spec` can be read.
    pub(super) unsafe fn create(&self, spec: *const genp_spec, b: u32) -> *mut genp_partition {
        self.elsewhere.set(b & 7 < 2);
        // SAFETY: by the precondition. The simulated genalloc has one pool, whatever is
        // passed.
        unsafe {
            match b & 7 {
                0 => glue::genp_partition_create_in(core::ptr::null_mut(), spec),
                1 => glue::genp_partition_create_in(NonNull::dangling().as_ptr(), spec),
                _ => glue::genp_partition_create(spec),
            }
        }
    }

    fn chunks(&self, one: bool) -> Chunks {
        let mut sums = Chunks {
            one,
            ..Chunks::default()
        };
        let data: *mut c_void = (&raw mut sums).cast();
        // SAFETY: a partition of ours, and what `look` expects.
        unsafe { glue::genp_for_each_chunk(self.part.get(), Some(look), data) };
        sums
    }

    /// Allocates a region at a chosen place, or one for a device.
    pub(super) fn place(&self, a: u32, b: u32) -> Option<i32> {
        let place = (b >> 1) % 6;
        let fixed = place == GENP_PLACE_FIXED;
        let how = genp_placement {
            place,
            // Only memory of genalloc's has something behind it.
            flags: [0, GENP_ZERO][usize::from(b & 16 != 0 && self.elsewhere.get())],
            align: [0, 8, 64, 4096, 8192, 3][(b >> 5) as usize % 6] * u64::from(!fixed),
            offset: PAGE * u64::from((a >> 16) & 15) * u64::from(fixed),
        };
        let size = (a as usize & 0x1fff) + 1;
        let (device, any) = (b & 1 == 1, b & 0x1000 != 0);
        let mut region = genp_region {
            addr: core::ptr::null_mut(),
            size: 0,
            handle: 0,
        };
        let mut phys = 0;
        let part = self.part.get();
        // SAFETY: arguments of ours.
        let done = unsafe {
            match (device, any) {
                (false, _) => glue::genp_alloc_placed(part, size, &how, &mut region),
                (true, false) => glue::genp_dma_alloc(part, size, &how, &mut region, &mut phys),
                (true, true) => glue::genp_dma_alloc(
                    part,
                    size,
                    core::ptr::null(),
                    &mut region,
                    core::ptr::null_mut(),
                ),
            }
        };
        if done == 0 {
            self.check_known(&region);
            if !(device && any) {
                self.check_place(&region, &how, phys);
            }
            self.keep_region(region);
        }
        Some(done)
    }

    /// The addresses of a region are those of its reserve.
    fn check_known(&self, region: &genp_region) {
        // SAFETY: a partition of ours.
        unsafe {
            if !glue::genp_has_addr(self.part.get(), region.addr, region.size) {
                fail("a region is not in its reserve");
            }
            let mut phys = 0;
            if glue::genp_virt_to_phys(self.part.get(), region.addr, &mut phys) != 0 {
                fail("a region has no physical address");
            }
        }
    }

    /// A region is where it was to be; `phys` is 0 if it is not for a device.
    fn check_place(&self, region: &genp_region, how: &genp_placement, phys: u64) {
        let address = region.addr as usize;
        let aligned = if phys == 0 { address as u64 } else { phys };
        let align = match how.place {
            GENP_PLACE_NATURAL => how.align.max(region.size.next_power_of_two() as u64),
            _ => how.align,
        };
        if align != 0 && aligned % align != 0 {
            fail("a placed region is not aligned");
        }
        let first = self.chunks(true).first;
        if how.place == GENP_PLACE_FIXED && address != first + how.offset as usize {
            fail("a region is not where it was to be");
        }
        let within = phys as usize % PAGE_SIZE + region.size <= PAGE_SIZE;
        // One that was found may be in the range.
        if phys != 0 && self.creator.get() && !self.elsewhere.get() && !within {
            fail("a region for a device is not in one page");
        }
    }

    /// Asks what can be asked of a partition.
    pub(super) fn ask(&self, a: u32, b: u32) {
        let part = self.part.get();
        let sums = self.chunks(false);
        // SAFETY: a partition and a cache of ours.
        let (size, free, outside) = unsafe {
            glue::genp_owner(part);
            if !self.cache.get().is_null() {
                glue::genp_cache_avail(self.cache.get());
            }
            let mut phys = 0;
            (
                glue::genp_size(part),
                glue::genp_avail(part),
                glue::genp_virt_to_phys(part, core::ptr::null(), &mut phys),
            )
        };
        if free > size || outside != EINVAL {
            fail(&format!(
                "{free} of {size} bytes are free, {outside} outside"
            ));
        }
        // Those of others are resized.
        if self.creator.get() && sums.end - sums.first != size {
            fail("the chunks of a reserve are not all of it");
        }
        self.suffices(a, b);
    }

    fn suffices(&self, a: u32, b: u32) {
        let burst = genp_burst {
            pages: a & 7,
            reserved: u32::from(a & 0xf0 == 0),
            period_ns: u64::from(b & 0xffff),
            hold_ns: u64::from((b >> 8) & 0xffff),
            refill_ns: u64::from((b >> 16) & 0xfff),
        };
        // SAFETY: a partition of ours.
        let answer = unsafe { glue::genp_stock_suffices(self.part.get(), &burst) };
        let wrong = burst.reserved != 0 || burst.pages == 0 || burst.period_ns == 0;
        let known = (0..=GENP_SUFFICES_ALWAYS as i32).contains(&answer);
        if wrong != (answer == EINVAL) || !wrong && !known {
            fail(&format!(
                "whether a stock suffices is answered with {answer}"
            ));
        }
    }
}
