// SPDX-License-Identifier: GPL-2.0

//! Where a reserve is, for drivers to look at in any context.

use kernel::{page::PAGE_SIZE, prelude::*};

use super::Partition;
use crate::genp::{core::owner::Owner, sys::genalloc::Carveout};

/// What is known of a reserve that is not of the pool; it stays where it is.
pub(crate) struct ExternalBacking {
    /// Its physical address.
    pub(crate) phys: u64,
    /// The tag of the memory it is in.
    pub(crate) owner: usize,
    /// Whether that memory is a driver's.
    drivers: bool,
}

impl ExternalBacking {
    pub(super) fn of(carveout: &Carveout) -> Self {
        Self {
            phys: carveout.phys(),
            owner: carveout.owner(),
            drivers: carveout.is_drivers(),
        }
    }
}

impl Partition {
    /// Where the reserve is, if not in the pool. Context: any.
    pub(crate) fn external(&self) -> Option<&ExternalBacking> {
        self.external.as_ref()
    }

    /// Whether the reserve is in a pool of genalloc's that a driver brought.
    pub(crate) fn is_in_driver_memory(&self) -> bool {
        self.external().is_some_and(|external| external.drivers)
    }

    /// Others who have the partition's file. The caller, a driver, has it. Context: any.
    pub(crate) fn other_users(&self) -> u32 {
        let users = self.file.as_ref().map_or(1, |(file, _)| file.users());
        users.saturating_sub(1)
    }

    /// The offset in the reserve of `bytes` bytes at a kernel address, if all of them
    /// are in it. Context: any but NMI.
    pub(crate) fn driver_offset(&self, address: usize, bytes: usize) -> Option<u64> {
        let base = self.driver_address(0)?;
        let offset = address.checked_sub(base)?;
        let end = offset.checked_add(bytes)?;
        (bytes > 0 && end as u64 <= self.regions.size()).then_some(offset as u64)
    }

    /// Allocates a region for a driver: its address and its handle. As
    /// [`Regions::alloc`], and EINVAL for an alignment of more than a page.
    ///
    /// [`Regions::alloc`]: super::regions::Regions::alloc
    pub(crate) fn alloc_for_driver(&self, size: usize, align: usize) -> Result<(usize, u64)> {
        if align > PAGE_SIZE {
            return Err(EINVAL);
        }
        let region = self
            .regions
            .alloc(Owner::Driver, size as u64, align as u64)?;
        match self.driver_address(region.offset) {
            Some(address) => Ok((address, region.handle)),
            None => {
                // There is no reserve, so this is not reached.
                self.regions.free(Owner::Driver, region.handle)?;
                Err(EINVAL)
            }
        }
    }
}
