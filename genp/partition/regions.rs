// SPDX-License-Identifier: GPL-2.0

//! Regions: byte ranges of the reserve, allocated in constant time from tables
//! that user space cannot reach.

use kernel::prelude::*;

use super::{
    super::{
        core::range::RangeError,
        sys::{
            errno::{E2BIG, ESTALE},
            trace,
        },
    },
    count, Partition,
};

/// The largest alignment of a region.
const MAX_ALIGN: u64 = 1 << 30;

/// A region in bytes of the reserve.
pub(super) struct Region {
    pub(super) offset: u64,
    pub(super) handle: u64,
}

fn errno(error: RangeError) -> Error {
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
    pub(super) fn alloc_region(&self, length: u64, align: u64) -> Result<Region> {
        let unit = 1u64 << self.shape.order;
        if length == 0 || align > MAX_ALIGN || !(align == 0 || align.is_power_of_two()) {
            return Err(EINVAL);
        }
        let units = length.checked_add(unit - 1).ok_or(E2BIG)? >> self.shape.order;
        let align = (align >> self.shape.order).max(1);
        let answer = match u32::try_from(units) {
            Ok(units) => self.regions.lock().alloc(units, align as u32),
            Err(_) => Err(RangeError::TooLarge),
        };
        match answer {
            Ok(block) => {
                count(&self.counters.allocs);
                let offset = u64::from(block.offset) << self.shape.order;
                trace::alloc(self.id.0, block.handle, length, offset);
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

    /// Frees a region: EINVAL for a handle that was never given out here, ESTALE
    /// for one that was freed. O(1). Context: any but NMI.
    pub(super) fn free_region(&self, handle: u64) -> Result {
        let freed = self.regions.lock().free(handle);
        freed.map_err(errno)?;
        count(&self.counters.frees);
        trace::free(self.id.0, handle);
        Ok(())
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
