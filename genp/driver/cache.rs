// SPDX-License-Identifier: GPL-2.0

//! Caches: objects of one size in a region of a partition's reserve, allocated and freed
//! in any context.

use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Full},
        Arc,
    },
};

use crate::genp::{
    core::claims::Claims,
    core::labyrinth::Labyrinth,
    core::owner::Owner,
    partition::Partition,
    stock::Refusal,
    sys::{alloc_flags::CREATE_FLAGS, atomic::InlineAtomic, cpu::PreemptGuard},
};

/// A cache. Its region keeps the memory; the driver that has the cache also has the
/// partition.
pub(crate) struct Cache {
    partition: Arc<Partition>,
    region: u64,
    /// The address of the first object.
    base: usize,
    /// Bytes from one object to the next.
    stride: usize,
    count: u32,
    free: Labyrinth<KVVec<InlineAtomic>>,
    /// Objects that were allocated, and not by way of an element pool.
    lent: Claims<KVVec<InlineAtomic>>,
    /// The number of element pools on it.
    pools: Atomic<u32>,
}

impl Cache {
    /// Makes a cache of `count` objects: EINVAL, E2BIG, ENOMEM. Context: thread, may
    /// sleep.
    pub(crate) fn new(
        partition: Arc<Partition>,
        size: usize,
        align: usize,
        count: u32,
    ) -> Result<Arc<Self>> {
        let align = if align == 0 {
            ::core::mem::align_of::<u64>()
        } else {
            align
        };
        if size == 0 || count == 0 || !align.is_power_of_two() || align > PAGE_SIZE {
            return Err(EINVAL);
        }
        let stride = size.checked_next_multiple_of(align).ok_or(E2BIG)?;
        let length = stride.checked_mul(count as usize).ok_or(E2BIG)?;
        let free =
            Labyrinth::new(InlineAtomic::table(count, CREATE_FLAGS)?, count).ok_or(EINVAL)?;
        let lent = Claims::new(InlineAtomic::claims(count, CREATE_FLAGS)?);
        let region = partition
            .regions()
            .alloc(Owner::Driver, length as u64, align as u64)?;
        let Some(base) = partition.reserve().driver_address(region.offset) else {
            let _ = partition.regions().free(Owner::Driver, region.handle);
            return Err(EINVAL);
        };
        // loop-bound: pages
        for object in 0..count {
            // Refused only for an object that is free, which none of these is.
            let _ = free.give(object);
        }
        let cache = Self {
            partition: partition.clone(),
            region: region.handle,
            base,
            stride,
            count,
            free,
            lent,
            pools: Atomic::new(0),
        };
        Ok(Arc::new(cache, CREATE_FLAGS).inspect_err(|_| {
            let _ = partition.regions().free(Owner::Driver, region.handle);
        })?)
    }

    /// Frees its region: EBUSY while objects or element pools are in use. The caller makes
    /// sure that nobody uses the cache meanwhile. Context: thread.
    pub(crate) fn close(&self) -> Result {
        // Acquire: pairs with `count_pool`: what the last pool gave back is in the count below.
        if self.pools.load(Acquire) != 0 || self.avail() != self.count {
            return Err(EBUSY);
        }
        self.partition.regions().free(Owner::Driver, self.region)
    }

    /// The number of objects.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The number of free objects; exact while nobody takes or gives. Linear in the
    /// objects / 64. Context: any.
    pub(crate) fn avail(&self) -> u32 {
        self.free.count()
    }

    /// Counts one element pool more or less.
    pub(super) fn count_pool(&self, more: bool) {
        if more {
            self.pools.fetch_add(1, Full);
        } else {
            self.pools.fetch_sub(1, Full);
        }
    }

    /// The partition that has its memory.
    pub(crate) fn partition(&self) -> &Partition {
        &self.partition
    }

    /// Takes an object; returns its number. Context: any.
    pub(super) fn take(&self) -> Option<u32> {
        let guard = PreemptGuard::begin();
        self.free.take(guard.number())
    }

    /// Gives an object back by its number, which the caller has taken and nobody else has.
    /// Context: any.
    pub(super) fn give(&self, object: u32) {
        // Refused only for an object that is free, which this one is not.
        let _ = self.free.give(object);
    }

    /// The address of an object.
    pub(super) fn address(&self, object: u32) -> usize {
        // Within the region, whose end is an address, so nothing wraps.
        self.base
            .wrapping_add(self.stride.wrapping_mul(object as usize))
    }

    /// The object at an address, if one begins there.
    pub(super) fn object_at(&self, address: usize) -> Result<u32, Refusal> {
        let offset = address.checked_sub(self.base).ok_or(Refusal::Foreign)?;
        let (object, rest) = (
            offset.checked_div(self.stride).ok_or(Refusal::Foreign)?,
            offset.checked_rem(self.stride).ok_or(Refusal::Foreign)?,
        );
        match u32::try_from(object) {
            Ok(object) if rest == 0 && object < self.count => Ok(object),
            _ => Err(Refusal::Foreign),
        }
    }

    /// Takes an object; returns its address. Context: any. Constant.
    pub(crate) fn alloc(&self) -> Option<usize> {
        let object = self.take()?;
        self.lent.set(object);
        Some(self.address(object))
    }

    /// Gives an object back that [`Self::alloc`] gave out. Context: any. Constant.
    pub(crate) fn free(&self, address: usize) -> Result<(), Refusal> {
        let object = self.object_at(address)?;
        if !self.lent.clear(object) {
            return Err(Refusal::Stale);
        }
        self.give(object);
        Ok(())
    }
}
