// SPDX-License-Identifier: GPL-2.0

//! How much of the reserve regions may use, how much they do, and how much suffices.

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::{errno, Regions};
use crate::genp::{
    core::{bounds, count::Count, tlsf::TlsfError},
    sys::abi,
};

impl Regions {
    /// Bytes of a unit. The order is below 64.
    #[inline(always)]
    pub(super) fn unit(&self) -> u64 {
        1u64.wrapping_shl(self.order)
    }

    /// The whole units in this many bytes.
    #[inline(always)]
    pub(super) fn units(&self, bytes: u64) -> u64 {
        bytes.wrapping_shr(self.order)
    }

    /// The units that hold this many bytes, not 0.
    #[inline(always)]
    pub(super) fn units_for(&self, bytes: u64) -> u64 {
        self.units(bytes.minus(1)).plus(1)
    }

    /// Bytes of this many units.
    #[inline(always)]
    pub(super) fn bytes(&self, units: u32) -> u64 {
        u64::from(units).wrapping_shl(self.order)
    }

    /// Units in `pages` pages: E2BIG for more than there are handles.
    pub(in crate::genp::partition) fn units_in(&self, pages: u32) -> Result<u32> {
        let bytes = u64::from(pages) << PAGE_SHIFT;
        match u32::try_from(self.units(bytes)) {
            Ok(u32::MAX) | Err(_) => Err(E2BIG),
            Ok(units) => Ok(units),
        }
    }

    /// Opens the reserve of a new partition for regions: E2BIG, ENOMEM. Context: any but
    /// NMI.
    pub(in crate::genp::partition) fn open(&self, units: u32) -> Result {
        self.tlsf.lock().grow(units).map_err(|error| match error {
            TlsfError::TooLarge => E2BIG,
            _ => ENOMEM,
        })
    }

    /// Lets regions use `units` units of the reserve: EBUSY if one lies beyond, E2BIG,
    /// ENOMEM. Context: any but NMI.
    pub(in crate::genp::partition) fn resize(&self, units: u32) -> Result {
        let mut tlsf = self.tlsf.lock();
        let done = if units >= tlsf.units() {
            tlsf.grow(units)
        } else {
            tlsf.shrink(units)
        };
        done.map_err(errno)
    }

    /// Bytes that regions can be of. Context: any but NMI.
    pub(crate) fn size(&self) -> u64 {
        self.bytes(self.tlsf.lock().units())
    }

    /// Bytes that are in no region. Context: any but NMI.
    pub(crate) fn free_bytes(&self) -> u64 {
        let tlsf = self.tlsf.lock();
        self.bytes(tlsf.units().saturating_sub(tlsf.used_units()))
    }

    /// Bytes of the largest free block. Context: any but NMI.
    pub(in crate::genp::partition) fn largest_free(&self) -> u64 {
        self.bytes(self.tlsf.lock().largest_free())
    }

    /// Bytes of a reserve that suffices for `live` bytes in regions of up to `largest`
    /// bytes, whatever came before: E2BIG if that is larger than any reserve.
    pub(in crate::genp::partition) fn worst_reserve(&self, live: u64, largest: u64) -> Result<u64> {
        if live == 0 {
            return Ok(0);
        }
        let unit = self.unit();
        let units = bounds::worst_reserve(self.units_for(live), self.units_for(largest.max(1)));
        units
            // More units than a reserve can have.
            .filter(|&units| units < u64::from(u32::MAX))
            .and_then(|units| units.checked_mul(unit))
            .and_then(|bytes| bytes.checked_next_multiple_of(PAGE_SIZE as u64))
            .ok_or(E2BIG)
    }

    /// Fills in its figures. Context: any but NMI.
    pub(in crate::genp::partition) fn stat(&self, stat: &mut abi::genp_stat) {
        stat.min_alloc_order = self.order;
        stat.max_regions = self.max_regions;
        stat.alloc_failures = self.alloc_failures.load();
        let tlsf = self.tlsf.lock();
        stat.used = self.bytes(tlsf.used_units());
        stat.used_peak = self.bytes(tlsf.used_peak());
        stat.regions = tlsf.regions();
        stat.allocs = tlsf.allocs();
        stat.frees = tlsf.frees();
    }

    /// As [`Self::stat`]. Context: any but NMI.
    pub(in crate::genp::partition) fn list(&self, listed: &mut abi::genp_list) {
        let tlsf = self.tlsf.lock();
        listed.used = self.bytes(tlsf.used_units());
        listed.regions = tlsf.regions();
    }

    /// Lets the peak begin anew. Context: any but NMI.
    pub(in crate::genp::partition) fn reset_peak(&self) {
        self.tlsf.lock().reset_peak();
    }
}
