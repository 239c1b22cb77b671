// SPDX-License-Identifier: GPL-2.0

//! Regions that are placed by a strategy, for drivers.

use kernel::prelude::*;

use super::{Region, Regions, MAX_ALIGN};
use crate::genp::core::tlsf::{self, Block, SearchRequest, TlsfError};

/// Blocks that a search visits under one lock: these cost less than an allocation.
const SEARCH_STEPS: u32 = 16;

/// Which free block a region is placed in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// One that is found in constant time.
    Any,
    /// The lowest one.
    FirstFit,
    /// The smallest one.
    BestFit,
    /// The lowest one, aligned to the region's size rounded up to a power of two.
    Natural,
    /// The one at this byte of the reserve.
    Fixed(u64),
}

/// How a region is placed.
#[derive(Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) strategy: Strategy,
    /// A power of two, or 0.
    pub(crate) align: u64,
    /// What is aligned is this plus the offset.
    pub(crate) base: u64,
}

impl Regions {
    /// The alignment in units, and how far the base lies above a multiple of it. EINVAL
    /// for an impossible alignment.
    fn phase(&self, placement: &Placement, length: u64) -> Result<(u32, u32)> {
        let align = match placement.strategy {
            Strategy::Natural => length.checked_next_power_of_two().ok_or(EINVAL)?,
            _ => 1,
        };
        let align = align.max(placement.align).max(1);
        if !align.is_power_of_two() || align > MAX_ALIGN {
            return Err(EINVAL);
        }
        let unit = self.unit();
        let phase = placement.base & (align - 1);
        if phase % unit != 0 {
            // No multiple of a unit has this alignment.
            return Err(EINVAL);
        }
        let units = |bytes: u64| self.units(bytes) as u32;
        Ok((units(align).max(1), units(phase)))
    }

    /// Allocates a region for a driver. As [`Self::alloc`]; EINVAL also for an offset
    /// within a unit and for an alignment that is impossible with this base.
    ///
    /// Context: thread, may sleep for another search of this partition; any but NMI for
    /// [`Strategy::Any`]. Linear in the regions, constant for [`Strategy::Any`]; the lock of
    /// the regions is held for constant times.
    pub(crate) fn alloc_placed(&self, length: u64, placement: &Placement) -> Result<Region> {
        let units = self.units_of(length)?;
        let (align, phase) = self.phase(placement, length)?;
        let place = match placement.strategy {
            Strategy::Any => {
                return self.alloc_phased(length, units, align, phase);
            }
            Strategy::FirstFit | Strategy::Natural => tlsf::Strategy::FirstFit,
            Strategy::BestFit => tlsf::Strategy::BestFit,
            Strategy::Fixed(offset) => tlsf::Strategy::Fixed(self.unit_at(offset)?),
        };
        let answer = units.and_then(|units| {
            self.search(SearchRequest {
                units,
                align,
                phase,
                strategy: place,
                owner: crate::genp::core::owner::Owner::Driver,
            })
        });
        self.record_alloc(length, answer)
    }

    /// The unit that begins at a byte of the reserve: EINVAL within a unit, E2BIG beyond
    /// the last unit that a reserve can have.
    fn unit_at(&self, offset: u64) -> Result<u32> {
        let unit = self.unit();
        if offset % unit != 0 {
            return Err(EINVAL);
        }
        u32::try_from(self.units(offset)).map_err(|_| E2BIG)
    }

    /// Searches, [`SEARCH_STEPS`] blocks under each lock. Context: thread, may sleep.
    fn search(&self, want: SearchRequest) -> Result<Block, TlsfError> {
        let _searching = self.searching.lock();
        self.tlsf.lock().begin_search(want)?;
        // Ends after one walk over the blocks and a few more steps for each region that
        // is freed meanwhile: see `core::tlsf::placement`.
        // loop-bound: blocks / SEARCH_STEPS + 2
        loop {
            if let Some(answer) = self.tlsf.lock().search(SEARCH_STEPS) {
                return answer;
            }
        }
    }
}
