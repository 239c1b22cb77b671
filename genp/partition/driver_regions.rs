// SPDX-License-Identifier: GPL-2.0

//! Regions of drivers, by their kernel address.

use kernel::{page::PAGE_SIZE, prelude::*};

use super::Partition;
use crate::genp::core::owner::Owner;

impl Partition {
    /// The offset in the reserve of `bytes` bytes at a kernel address, if all of them
    /// are in it. Context: any but NMI.
    pub(crate) fn driver_offset(&self, address: usize, bytes: usize) -> Option<u64> {
        let base = self.reserve.driver_address(0)?;
        let offset = address.checked_sub(base)?;
        let end = offset.checked_add(bytes)?;
        (bytes > 0 && end as u64 <= self.regions.size()).then_some(offset as u64)
    }

    /// Allocates a region for a driver: its address and its handle. As
    /// [`Regions::alloc`], and EINVAL for an alignment of more than a page. O(1). Context:
    /// any but NMI.
    ///
    /// [`Regions::alloc`]: super::regions::Regions::alloc
    pub(crate) fn alloc_for_driver(&self, size: usize, align: usize) -> Result<(usize, u64)> {
        if align > PAGE_SIZE {
            return Err(EINVAL);
        }
        let region = self
            .regions
            .alloc(Owner::Driver, size as u64, align as u64)?;
        match self.reserve.driver_address(region.offset) {
            Some(address) => Ok((address, region.handle)),
            // not-reached: a region was allocated, so there is a reserve.
            None => self.refuse_region(region.handle),
        }
    }

    #[cold]
    fn refuse_region(&self, handle: u64) -> Result<(usize, u64)> {
        self.regions.free(Owner::Driver, handle)?;
        Err(EINVAL)
    }
}
