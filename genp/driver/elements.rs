// SPDX-License-Identifier: GPL-2.0

//! Element pools: a guaranteed minimum of a cache's objects for one user of it.
//!
//! The minimum is taken out of the cache at set-up. An element comes from the cache while
//! that has any, and otherwise from the minimum. One that is given back replenishes the
//! minimum first and goes to the cache otherwise: see `missing`.
//!
//! At each moment an element is in the cache, in the minimum, recorded in `in_use`, or in the
//! hands of one caller, who took it out of one of these by one atomic step.

use kernel::{prelude::*, sync::Arc};

use super::cache::Cache;
use crate::genp::{
    core::{claims::Claims, labyrinth::Labyrinth},
    stock::Refusal,
    sys::{alloc_flags::CREATE_FLAGS, atomic::InlineAtomic, cpu::PreemptGuard},
};

/// Added to a count, one less.
const LESS: u64 = u64::MAX;

/// An element pool.
pub(crate) struct Elements {
    cache: Arc<Cache>,
    /// Elements of the minimum, by their number in the cache.
    kept: Labyrinth<KVVec<InlineAtomic>>,
    min: u32,
    /// Elements that are missing from the minimum.
    ///
    /// One that is given back goes to the cache if nothing is missing at that moment, even
    /// if another caller takes the next one out of the minimum before it gets there. And the
    /// count is below 0, which is a number of 64 bits less than 0, for a moment when two
    /// callers find the same element missing. Either way an element may stay missing until
    /// the next one is given back. The guarantee holds nevertheless: elements are missing
    /// only while as many are in use, since whoever took one out of the minimum has it, and
    /// those in `kept` and those in use together are never fewer than the minimum.
    missing: InlineAtomic,
    /// Those that are in use.
    in_use: Claims<KVVec<InlineAtomic>>,
    /// How many they are.
    out: InlineAtomic,
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
        let in_use = Claims::new(InlineAtomic::claims(count, CREATE_FLAGS)?);
        let pool = Arc::new(
            Self {
                cache,
                kept,
                min,
                in_use,
                missing: InlineAtomic::new(0),
                out: InlineAtomic::new(0),
            },
            CREATE_FLAGS,
        )?;
        pool.cache.count_pool(true);
        // loop-bound: pages
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
        // loop-bound: pages
        for _ in 0..self.min {
            let guard = PreemptGuard::begin();
            if let Some(object) = self.kept.take(guard.number()) {
                self.cache.give(object);
            }
        }
        self.cache.count_pool(false);
    }

    /// Gives the minimum up: EBUSY while elements are in use. The caller makes sure that
    /// nobody uses the pool meanwhile. Context: thread.
    pub(crate) fn close(&self) -> Result {
        if self.out.load() != 0 {
            return Err(EBUSY);
        }
        self.empty();
        Ok(())
    }

    /// Takes an element; returns its address. Context: any. Constant.
    pub(crate) fn alloc(&self) -> Option<usize> {
        let object = self.cache.take().or_else(|| self.take_kept())?;
        self.out.fetch_add(1);
        self.in_use.set(object);
        Some(self.cache.address(object))
    }

    /// Takes an element out of the minimum.
    fn take_kept(&self) -> Option<u32> {
        let guard = PreemptGuard::begin();
        let object = self.kept.take(guard.number())?;
        self.missing.fetch_add(1);
        Some(object)
    }

    /// Gives an element back that [`Self::alloc`] gave out. Context: any. Constant.
    pub(crate) fn free(&self, address: usize) -> Result<(), Refusal> {
        let object = self.cache.object_at(address)?;
        // Of those who give it back at once, one goes on.
        if !self.in_use.clear(object) {
            return Err(Refusal::Stale);
        }
        if !self.replenish(object) {
            self.cache.give(object);
        }
        self.out.fetch_add(LESS);
        Ok(())
    }

    /// Gives an element back to the minimum if one is missing there. Returns whether it did.
    #[inline(always)]
    fn replenish(&self, object: u32) -> bool {
        if !is_above_0(self.missing.load()) {
            return false;
        }
        if !is_above_0(self.missing.fetch_add(LESS)) {
            self.missing.fetch_add(1);
            return false;
        }
        // Refused only for an element that is in it, which this one is not.
        let _ = self.kept.give(object);
        true
    }

    /// The cache that the elements come from.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }
}

/// Whether a count that may be below 0 is not, and not 0 either.
#[inline(always)]
fn is_above_0(count: u64) -> bool {
    // CAST: of the same width.
    count as i64 > 0
}
