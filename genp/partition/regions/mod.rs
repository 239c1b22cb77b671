// SPDX-License-Identifier: GPL-2.0

//! Regions: byte ranges of the reserve, allocated in constant time from tables
//! that user space cannot reach.

use kernel::{page::PAGE_SIZE, prelude::*};

use super::{count, Partition};
use crate::genp::core::owner::Owner;
use crate::genp::{
    core::range::{Block, RangeError},
    sys::{
        errno::{E2BIG, ESTALE},
        trace,
    },
};

/// The largest alignment of a region.
pub(super) const MAX_ALIGN: u64 = 1 << 30;

/// A region in bytes of the reserve.
pub(crate) struct Region {
    pub(crate) offset: u64,
    pub(crate) handle: u64,
}

pub(super) fn errno(error: RangeError) -> Error {
    match error {
        RangeError::TooLarge => E2BIG,
        RangeError::NoBlock | RangeError::NoNode => ENOMEM,
        RangeError::Stale => ESTALE,
        RangeError::Busy => EBUSY,
        RangeError::Empty | RangeError::Foreign | RangeError::BadAlign => EINVAL,
    }
}

impl Partition {
    /// Allocates a region. O(1), also when it fails. Context: any but NMI.
    ///
    /// EINVAL for no bytes or an alignment that is none, E2BIG for more than the
    /// reserve, ENOMEM if there is no block or no handle for it now.
    #[inline(always)]
    pub(crate) fn alloc_region(&self, tenant: Owner, length: u64, align: u64) -> Result<Region> {
        if align > MAX_ALIGN || align & align.wrapping_sub(1) != 0 {
            return Err(EINVAL);
        }
        let units = self.units_of(length)?;
        let align = (align >> self.attributes.order).max(1) as u32;
        match tenant {
            Owner::Process => {
                let answer = units.and_then(|units| self.regions.lock().alloc(units, align));
                self.record_alloc(length, answer)
            }
            Owner::Driver => self.alloc_held(length, units, align, 0),
        }
    }

    /// Units that a region of `length` bytes has: EINVAL for no bytes.
    #[inline(always)]
    pub(super) fn units_of(&self, length: u64) -> Result<Result<u32, RangeError>> {
        if length == 0 {
            return Err(EINVAL);
        }
        let units = length.div_ceil(1u64 << self.attributes.order);
        Ok(u32::try_from(units).map_err(|_| RangeError::TooLarge))
    }

    /// Allocates for a driver: the offset plus `phase` units is a multiple of `align`.
    #[inline(always)]
    pub(super) fn alloc_held(
        &self,
        length: u64,
        units: Result<u32, RangeError>,
        align: u32,
        phase: u32,
    ) -> Result<Region> {
        let answer = units.and_then(|units| self.regions.lock().alloc_held(units, align, phase));
        self.record_alloc(length, answer)
    }

    /// Counts and traces what came of an allocation.
    #[inline(always)]
    pub(super) fn record_alloc(
        &self,
        length: u64,
        answer: Result<Block, RangeError>,
    ) -> Result<Region> {
        match answer {
            Ok(block) => {
                count(&self.counters.allocs);
                let offset = u64::from(block.offset) << self.attributes.order;
                trace::alloc(self.id().0, block.handle, length, offset);
                Ok(Region {
                    offset,
                    handle: block.handle,
                })
            }
            Err(error) => {
                count(&self.counters.alloc_failures);
                Err(errno(error))
            }
        }
    }

    /// Allocates a region for a driver: its address and its handle. As
    /// [`Self::alloc_region`], and EINVAL for an alignment of more than a page.
    pub(crate) fn alloc_for_driver(&self, size: usize, align: usize) -> Result<(usize, u64)> {
        if align > PAGE_SIZE {
            return Err(EINVAL);
        }
        let region = self.alloc_region(Owner::Driver, size as u64, align as u64)?;
        match self.driver_address(region.offset) {
            Some(address) => Ok((address, region.handle)),
            None => {
                // There is no reserve, so this is not reached.
                self.free_region(Owner::Driver, region.handle)?;
                Err(EINVAL)
            }
        }
    }

    /// Frees a region: EINVAL for a handle that was never given out here, ESTALE
    /// for one that was freed. O(1). Context: any but NMI.
    #[inline(always)]
    pub(crate) fn free_region(&self, tenant: Owner, handle: u64) -> Result {
        let freed = match tenant {
            Owner::Process => self.regions.lock().free(handle),
            Owner::Driver => self.regions.lock().free_held(handle),
        };
        freed.map_err(errno)?;
        count(&self.counters.frees);
        trace::free(self.id().0, handle);
        Ok(())
    }

    /// Regions of drivers.
    pub(crate) fn driver_regions(&self) -> u32 {
        self.regions.lock().held()
    }

    /// Lets regions use so many units of the reserve: EBUSY if one lies beyond.
    pub(super) fn resize_regions(&self, units: u32) -> Result {
        let mut regions = self.regions.lock();
        let done = if units >= regions.units() {
            regions.grow(units)
        } else {
            regions.shrink(units)
        };
        done.map_err(errno)
    }
}
