// SPDX-License-Identifier: GPL-2.0

//! Element pools: a guaranteed minimum of a cache's objects for one user of it.
//!
//! The minimum is taken out of the cache at set-up. Whoever wants an element takes one
//! that is still in the cache, or else one of the minimum. Whoever gives one back makes
//! the minimum full again before the cache gets any: see `missing`.

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
    sys::{atomic::InlineAtomic, cpu::PreemptGuard},
};

/// An element pool.
pub(crate) struct Elements {
    cache: Arc<Cache>,
    /// Elements of the minimum, by their number in the cache.
    kept: Labyrinth<KVVec<InlineAtomic>>,
    min: u32,
    /// Elements that are missing from the minimum.
    ///
    /// For a moment it can be less than 0, while somebody who has nothing to make up
    /// for is about to add its one again. Another one may then find it less by one than
    /// it is and give to the cache an element that the minimum misses; that one stays
    /// missing until the next is given back. The promise holds all the same: an element
    /// is missing only while it is out, and those in `kept` and those out together are
    /// never fewer than the minimum.
    missing: Atomic<i32>,
    /// Elements that are out.
    out: Atomic<i32>,
}

impl Elements {
    /// Makes a pool: EINVAL, ENOSPC, ENOMEM. Context: thread, may sleep.
    pub(crate) fn new(cache: Arc<Cache>, min: u32) -> Result<Arc<Self>> {
        if min == 0 || i32::try_from(min).is_err() {
            return Err(EINVAL);
        }
        let count = cache.count();
        let kept = Labyrinth::new(InlineAtomic::table(count)?, count).ok_or(EINVAL)?;
        let pool = Arc::new(
            Self {
                cache,
                kept,
                min,
                missing: Atomic::new(0),
                out: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        pool.cache.count_pool(true);
        for _ in 0..min {
            let Some(object) = pool.cache.take() else {
                pool.empty();
                return Err(ENOSPC);
            };
            // Refused only for one that is there, and this one was not.
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

    /// Gives the minimum up: EBUSY while elements are out. Nobody uses it meanwhile.
    /// Context: thread.
    pub(crate) fn close(&self) -> Result {
        if self.out.load(kernel::sync::atomic::Acquire) != 0 {
            return Err(EBUSY);
        }
        self.empty();
        Ok(())
    }

    /// Takes an element: its address. Context: any. Constant.
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
        // One that is free already is noticed where it lies.
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
