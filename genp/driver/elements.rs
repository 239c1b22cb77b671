// SPDX-License-Identifier: GPL-2.0

//! Element pools: a guaranteed minimum of a cache's objects for one user of it.
//!
//! The minimum is taken out of the cache at set-up. An element comes from the cache while
//! that has any, and otherwise from the minimum. One that is given back replenishes the
//! minimum first and goes to the cache otherwise: see `missing`.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full},
        Arc,
    },
};

use super::cache::Cache;
use crate::genp::{
    core::labyrinth::Labyrinth,
    stock::Refusal,
    sys::{alloc_flags::CREATE_FLAGS, atomic::InlineAtomic, cpu::PreemptGuard},
};

/// An element pool.
pub(crate) struct Elements {
    cache: Arc<Cache>,
    /// Elements of the minimum, by their number in the cache.
    kept: Labyrinth<KVVec<InlineAtomic>>,
    min: u32,
    /// Elements that are missing from the minimum.
    ///
    /// It is below 0 for a moment when a caller that finds nothing missing has subtracted
    /// one and not added it again. Another caller may then read one less than are missing
    /// and give to the cache an element that the minimum lacks, which stays missing until
    /// the next one is given back. The guarantee holds nevertheless: elements are missing
    /// only while as many are in use, and those in `kept` and those in use together are
    /// never fewer than the minimum.
    missing: Atomic<i32>,
    /// Elements that are in use.
    out: Atomic<i32>,
}

impl Elements {
    /// Makes a pool: EINVAL, ENOSPC, ENOMEM. Context: thread, may sleep.
    pub(crate) fn new(cache: Arc<Cache>, min: u32) -> Result<Arc<Self>> {
        if min == 0 || i32::try_from(min).is_err() {
            return Err(EINVAL);
        }
        let count = cache.count();
        let kept =
            Labyrinth::new(InlineAtomic::table(count, CREATE_FLAGS)?, count).ok_or(EINVAL)?;
        let pool = Arc::new(
            Self {
                cache,
                kept,
                min,
                missing: Atomic::new(0),
                out: Atomic::new(0),
            },
            CREATE_FLAGS,
        )?;
        pool.cache.count_pool(true);
        for _ in 0..min {
            let Some(object) = pool.cache.take() else {
                pool.empty();
                return Err(ENOSPC);
            };
            // Refused only for an object that is in it, which this one is not.
            let _ = pool.kept.give(object);
        }
        Ok(pool)
    }

    /// Gives the minimum back to the cache.
    fn empty(&self) {
        for _ in 0..self.min {
            let guard = PreemptGuard::begin();
            if let Some(object) = self.kept.take(guard.number()) {
                let _ = self.cache.give(object);
            }
        }
        self.cache.count_pool(false);
    }

    /// Gives the minimum up: EBUSY while elements are in use. The caller makes sure that
    /// nobody uses the pool meanwhile. Context: thread.
    pub(crate) fn close(&self) -> Result {
        if self.out.load(kernel::sync::atomic::Acquire) != 0 {
            return Err(EBUSY);
        }
        self.empty();
        Ok(())
    }

    /// Takes an element; returns its address. Context: any. Constant.
    pub(crate) fn alloc(&self) -> Option<usize> {
        let object = self.cache.take().or_else(|| {
            let guard = PreemptGuard::begin();
            let object = self.kept.take(guard.number())?;
            self.missing.fetch_add(1, Full);
            Some(object)
        })?;
        self.out.fetch_add(1, Full);
        Some(self.cache.address(object))
    }

    /// Gives an element back. Context: any. Constant.
    pub(crate) fn free(&self, address: usize) -> Result<(), Refusal> {
        let object = self.cache.object_at(address)?;
        // An element that is free already is in one of the two.
        if self.kept.is_free(object) || self.cache.is_free(object) {
            return Err(Refusal::Stale);
        }
        if self.missing.fetch_sub(1, Full) > 0 {
            if self.kept.give(object).is_err() {
                self.missing.fetch_add(1, Full);
                return Err(Refusal::Stale);
            }
        } else {
            self.missing.fetch_add(1, Full);
            self.cache.give(object)?;
        }
        self.out.fetch_sub(1, Full);
        Ok(())
    }
}
