// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a heap has, and what it was asked for in vain.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    engine, error,
    memory::HEADER,
    size_class::{bytes_of, CLASSES},
    Heap,
};
use crate::manager::Managed;

/// A number that only grows.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        // Relaxed: nothing is published with it.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened where a call is slow anyway.
#[derive(Default)]
pub(super) struct Counters {
    /// Requests that were refused for lack of memory.
    pub(super) refusals: Counter,
    /// Requests for which cached blocks were returned to the heap.
    pub(super) reclaims: Counter,
}

/// The state of a heap: `struct genp_heap_stat` of `genp/heap.h`. Exact while nobody else
/// uses the heap.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStat {
    /// Of this structure, in bytes.
    pub size: u32,
    /// The number of classes, for [`ClassStat`].
    pub classes: u32,
    /// Bytes of the heap.
    pub bytes: u64,
    /// Bytes in live blocks, headers included.
    pub used: u64,
    /// Bytes in live blocks and in cached ones.
    pub taken: u64,
    /// The most of `taken` since the peak was reset.
    pub taken_peak: u64,
    /// Bytes in no block.
    pub free: u64,
    /// The largest request that can be served without returning cached blocks.
    pub largest: u64,
    /// How much of `free` is not in one block, in thousandths; up to 31 too many.
    pub fragmentation: u32,
    /// The number of cached blocks.
    pub cached_blocks: u32,
    /// Requests that were refused with ENOMEM.
    pub refusals: u64,
    /// Requests for which cached blocks were returned to the heap.
    pub reclaims: u64,
}

/// A class of blocks, which is a size up to which requests are rounded up:
/// `struct genp_class_stat` of `genp/heap.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassStat {
    /// Of this structure, in bytes.
    pub size: u32,
    /// Blocks of it in caches.
    pub cached_blocks: u32,
    /// Blocks that caches may have of it now.
    pub limit: u32,
    /// 0.
    pub reserved: u32,
    /// Bytes of a block, without its header.
    pub bytes: u64,
}

/// How much of the free bytes is not in a block of this size, in thousandths.
fn fragmentation(free: usize, block: usize) -> u32 {
    let Some(whole) = free.checked_sub(HEADER).filter(|&whole| whole > 0) else {
        return 0;
    };
    let lost = whole.saturating_sub(block) as u128 * 1000 / whole as u128;
    u32::try_from(lost).unwrap_or(1000)
}

/// What is known of another manager's heap.
fn stat_of(managed: &Managed) -> HeapStat {
    let (used, bytes) = managed.used();
    HeapStat {
        size: size_of::<HeapStat>() as u32,
        bytes: bytes as u64,
        used: used as u64,
        taken: used as u64,
        free: bytes.saturating_sub(used) as u64,
        ..Default::default()
    }
}

impl Heap {
    /// Bytes in live blocks, headers included: exact only while nobody allocates or
    /// frees. ECHILD, EDEADLK, ENOTRECOVERABLE.
    pub(crate) fn used(&self) -> io::Result<usize> {
        Ok(usize::try_from(self.stat(false)?.used).unwrap_or(usize::MAX))
    }

    /// The state of the heap; then the peak is forgotten, if `reset`. ECHILD, EDEADLK,
    /// ENOTRECOVERABLE.
    pub(crate) fn stat(&self, reset: bool) -> io::Result<HeapStat> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            return Ok(stat_of(managed));
        }
        let mut inner = self.inner.lock()?;
        let (mut cached, mut blocks) = (0, 0);
        for place in inner.grants.places() {
            for at in self.cache.look(&self.memory, place) {
                // SAFETY: a block was there, and so is its memory.
                cached += engine::bytes(unsafe { engine::extent_of(&self.memory, at) }) + HEADER;
                blocks += 1;
            }
        }
        let engine = &mut inner.engine;
        let (taken, bytes) = (engine.used(), self.memory.end());
        let free = bytes.saturating_sub(taken);
        let stat = HeapStat {
            size: size_of::<HeapStat>() as u32,
            classes: CLASSES as u32,
            bytes: bytes as u64,
            used: taken.saturating_sub(cached) as u64,
            taken: taken as u64,
            taken_peak: engine.peak() as u64,
            free: free as u64,
            largest: engine.largest() as u64,
            fragmentation: fragmentation(free, engine.large_one()?),
            cached_blocks: blocks,
            refusals: self.counters.refusals.get(),
            reclaims: self.counters.reclaims.get(),
        };
        if reset {
            engine.reset_peak();
        }
        Ok(stat)
    }

    /// The state of a class, by its number. EINVAL if there is none; ECHILD, EDEADLK.
    pub(crate) fn class_stat(&self, class: usize) -> io::Result<ClassStat> {
        self.process.check()?;
        if class >= CLASSES || self.managed.is_some() {
            return Err(error(libc::EINVAL));
        }
        let inner = self.inner.lock()?;
        let mut stat = ClassStat {
            size: size_of::<ClassStat>() as u32,
            bytes: bytes_of(class) as u64,
            ..Default::default()
        };
        let places = inner.grants.places();
        for place in places.filter(|place| usize::from(place.class) == class) {
            stat.cached_blocks += self.cache.look(&self.memory, place).count() as u32;
            stat.limit += self.cache.limit(place) as u32;
        }
        Ok(stat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragmentation_is_what_is_not_in_one_block() {
        assert_eq!(fragmentation(0, 0), 0);
        assert_eq!(fragmentation(HEADER, 0), 0);
        assert_eq!(fragmentation(HEADER + 1000, 1000), 0);
        assert_eq!(fragmentation(HEADER + 1000, 250), 750);
        assert_eq!(fragmentation(HEADER + 1000, 0), 1000);
        assert_eq!(fragmentation(usize::MAX, 1), 999);
    }
}
