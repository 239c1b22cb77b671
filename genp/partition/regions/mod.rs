// SPDX-License-Identifier: GPL-2.0

//! Regions: byte ranges of the reserve, allocated in constant time from tables
//! that user space cannot reach.

mod placement;
mod size;

use ::core::iter::repeat_n;

use kernel::prelude::*;

use crate::genp::{
    core::{
        accounting::PartitionId,
        owner::Owner,
        tlsf::{Block, Node, Nodes, Tlsf, TlsfError},
    },
    sys::{
        alloc_flags::CREATE_FLAGS,
        atomic::InlineAtomic,
        errno::ESTALE,
        lock::{new_pi_mutex, new_raw_lock, PiMutex, RawLock},
        table, time, trace,
    },
};

pub(crate) use placement::{Placement, Strategy};

/// The largest alignment of a region.
const MAX_ALIGN: u64 = 1 << 30;

/// A region in bytes of the reserve.
pub(crate) struct Region {
    pub(crate) offset: u64,
    pub(crate) handle: u64,
}

pub(super) fn errno(error: TlsfError) -> Error {
    match error {
        TlsfError::TooLarge => E2BIG,
        TlsfError::NoBlock | TlsfError::NoNode => ENOMEM,
        TlsfError::Stale => ESTALE,
        TlsfError::Busy => EBUSY,
        TlsfError::Empty | TlsfError::Foreign | TlsfError::BadAlign => EINVAL,
    }
}

/// The regions of a partition.
///
/// Lock order: `searching` before `tlsf`, which is a leaf.
#[pin_data]
pub(crate) struct Regions {
    id: PartitionId,
    /// Regions are multiples of 1 << this many bytes.
    order: u32,
    max_regions: u32,
    #[pin]
    tlsf: RawLock<Tlsf<KVVec<Node>>>,
    /// Held during a search, of which there is one at a time.
    #[pin]
    searching: PiMutex<()>,
    alloc_failures: InlineAtomic,
}

impl Regions {
    /// Tables for `max_regions` regions in a reserve of no units yet. They count for the
    /// caller's memory control group. EINVAL, ENOMEM. Context: thread, may sleep.
    pub(super) fn new(id: PartitionId, order: u32, max_regions: u32) -> Result<impl PinInit<Self>> {
        let nodes = Nodes::<KVVec<_>>::count_for(max_regions);
        let nodes = table::collect(repeat_n(Node::EMPTY, nodes), CREATE_FLAGS)?;
        // Only there to make the handles of different partitions differ.
        let seed = time::now() as u32;
        let nodes = Nodes::new(nodes, max_regions, seed).map_err(|_| EINVAL)?;
        // The allocator is made in its place, not on the stack.
        Ok(pin_init!(Self {
            id,
            order,
            max_regions,
            tlsf <- new_raw_lock!(Tlsf::new(nodes), "genp_regions"),
            searching <- new_pi_mutex!((), "genp_search"),
            alloc_failures: InlineAtomic::new(0),
        }))
    }

    /// Allocates a region. O(1), also when it fails. Context: any but NMI.
    ///
    /// EINVAL for no bytes or an alignment that is not a power of two up to
    /// [`MAX_ALIGN`], E2BIG for more than the reserve, ENOMEM if there is no block or no
    /// handle for it now.
    #[inline(always)]
    pub(crate) fn alloc(&self, owner: Owner, length: u64, align: u64) -> Result<Region> {
        let align = match align {
            0 => 1,
            _ if align > MAX_ALIGN || !align.is_power_of_two() => return Err(EINVAL),
            _ => self.units(align).max(1) as u32,
        };
        let units = self.units_of(length)?;
        match owner {
            Owner::Process => {
                let answer = units.and_then(|units| self.tlsf.lock().alloc(units, align));
                self.record_alloc(length, answer)
            }
            Owner::Driver => self.alloc_phased(length, units, align, 0),
        }
    }

    /// Units of a region of `length` bytes: EINVAL for no bytes.
    #[inline(always)]
    fn units_of(&self, length: u64) -> Result<Result<u32, TlsfError>> {
        if length == 0 {
            return Err(EINVAL);
        }
        Ok(u32::try_from(self.units_for(length)).map_err(|_| TlsfError::TooLarge))
    }

    /// Allocates for a driver: the offset plus `phase` units is a multiple of `align`.
    #[inline(always)]
    fn alloc_phased(
        &self,
        length: u64,
        units: Result<u32, TlsfError>,
        align: u32,
        phase: u32,
    ) -> Result<Region> {
        let answer = units.and_then(|units| self.alloc_block(units, align, phase));
        self.record_alloc(length, answer)
    }

    #[inline(always)]
    fn alloc_block(&self, units: u32, align: u32, phase: u32) -> Result<Block, TlsfError> {
        self.tlsf.lock().alloc_for_driver(units, align, phase)
    }

    /// Counts and traces the outcome of an allocation.
    #[inline(always)]
    fn record_alloc(&self, length: u64, answer: Result<Block, TlsfError>) -> Result<Region> {
        match answer {
            Ok(block) => {
                let offset = self.bytes(block.offset);
                trace::alloc(self.id.0, block.handle, length, offset);
                Ok(Region {
                    offset,
                    handle: block.handle,
                })
            }
            Err(error) => {
                self.alloc_failures.add(1);
                Err(errno(error))
            }
        }
    }

    /// Frees a region: EINVAL for a handle that was never given out here or is another
    /// owner's, ESTALE for one that was freed. O(1). Context: any but NMI.
    #[inline(always)]
    pub(crate) fn free(&self, owner: Owner, handle: u64) -> Result {
        let freed = match owner {
            Owner::Process => self.tlsf.lock().free(handle),
            Owner::Driver => self.tlsf.lock().free_for_driver(handle),
        };
        freed.map_err(errno)?;
        trace::free(self.id.0, handle);
        Ok(())
    }

    /// Regions of drivers. Context: any but NMI.
    pub(crate) fn driver_regions(&self) -> u32 {
        self.tlsf.lock().driver_owned()
    }
}
