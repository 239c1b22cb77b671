// SPDX-License-Identifier: MIT OR Apache-2.0

//! Allocating and freeing under the lock: when a thread cache has no block or no room.
//!
//! The lock is taken once for many blocks: a stack that is full goes to the depot as a
//! whole, from where one that is empty is filled, or a batch of it back to the engine.

use std::{io, ptr::NonNull};

use super::{
    class_of, class_within,
    engine::{self, Engine},
    error,
    grants::RAISES,
    lists::round_up,
    memory::{Checked, HEADER},
    note,
    size_class::{bytes_of, GRAIN},
    thread_cache::{Place, Taken, ThreadCache},
    Heap, Inner,
};
use crate::{lock::Guard, thread};

/// Blocks that a full stack gives back to the engine at a time, and so many and one more are
/// left in the largest. One that is empty gets half of what it has room for, in one piece of
/// memory of at most so many bytes: so a thread does not give back at once what it was given.
const BATCH: usize = 16;
const RUN_BYTES: usize = 4096;
/// No more is taken than is needed if less than this fraction of the heap is free.
const SPARE: usize = 16;

/// Frees all blocks of a stack.
fn free_all(engine: &mut Engine, mut taken: Taken) -> Checked<()> {
    engine.free_run(|memory| taken.next(memory))
}

impl Inner {
    /// Raises the limit of a stack, if need be at the cost of others that are idle.
    fn raise(&mut self, heap: &Heap, place: Place) -> Checked<bool> {
        if self.grants.raise(&heap.cache, place) {
            return Ok(true);
        }
        if !self.grants.wants_more(&heap.cache, place) {
            return Ok(false);
        }
        if let Some(idle) = self.grants.retire_one(&heap.cache, place) {
            free_all(&mut self.engine, idle)?;
        }
        Ok(self.grants.raise(&heap.cache, place))
    }

    /// Lets a stack have this many blocks, if that can be.
    fn raise_to(&mut self, heap: &Heap, place: Place, blocks: usize) -> Checked<bool> {
        for _ in 0..RAISES {
            if heap.cache.limit(place) >= blocks || !self.raise(heap, place)? {
                break;
            }
        }
        Ok(heap.cache.limit(place) >= blocks)
    }

    /// A block of the depot for the caller, whose stack gets all others there.
    fn take_from_depot(&mut self, heap: &Heap, class: usize, own: Place) -> Checked<Option<usize>> {
        let depot = ThreadCache::depot(class);
        let blocks = heap.cache.blocks(depot);
        if blocks == 0 || !self.raise_to(heap, own, blocks + 1)? {
            return Ok(None);
        }
        heap.cache.pour(&heap.memory, depot, own)?;
        Ok(heap.cache.pop(&heap.memory, class))
    }

    /// Makes room in a stack of the caller's: false if that failed.
    fn make_room(&mut self, heap: &Heap, class: usize, own: Place) -> Checked<bool> {
        if self.raise(heap, own)? {
            return Ok(true);
        }
        let blocks = heap.cache.blocks(own);
        let depot = ThreadCache::depot(class);
        if heap.cache.blocks(depot) == 0 && self.raise_to(heap, depot, blocks + 1)? {
            heap.cache.pour(&heap.memory, own, depot)?;
        }
        if heap.cache.blocks(own) == blocks {
            self.free_some(heap, own)?;
        }
        Ok(heap.cache.limit(own) > 0)
    }

    /// Frees the youngest [`BATCH`] blocks of a stack of the caller's.
    fn free_some(&mut self, heap: &Heap, own: Place) -> Checked<()> {
        let (mut taken, mut left) = (heap.cache.take_below(own), BATCH);
        self.engine.free_run(|memory| {
            let Some(less) = left.checked_sub(1) else {
                return Ok(None);
            };
            left = less;
            taken.next(memory)
        })?;
        heap.cache.put_back(&heap.memory, own, taken)
    }

    /// Blocks of a class that are taken from the engine for a stack at a time.
    fn run_for(&self, heap: &Heap, class: usize, own: Place) -> usize {
        let spare = heap.memory.end() - self.engine.used() >= heap.memory.end() / SPARE;
        match spare && u32::try_from(heap.memory.end() / GRAIN).is_ok() {
            true => (heap.cache.limit(own) / 2).min(RUN_BYTES / (bytes_of(class) + HEADER)),
            false => 0,
        }
    }

    /// A block of the engine for the caller, whose stack, which is empty, gets those behind it.
    fn alloc_run(
        &mut self,
        heap: &Heap,
        class: usize,
        own: Place,
        size: usize,
    ) -> Checked<Option<usize>> {
        let most = self.run_for(heap, class, own).max(1);
        let Some(run) = self.engine.alloc_run(bytes_of(class), most, note(size))? else {
            return Ok(None);
        };
        if run.count > 1 && !heap.cache.hang(own, run.second(), run.count - 1) {
            // A signal handler of ours came in between.
            let mut others = run.others();
            self.engine.free_run(|_| Ok(others.next()))?;
        }
        Ok(Some(run.first))
    }
}

impl Heap {
    /// Allocates when this thread's cache has no block: ENOMEM, ECHILD, EDEADLK,
    /// ENOTRECOVERABLE.
    pub(crate) fn slow_alloc(&self, size: usize) -> io::Result<NonNull<u8>> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            return managed.alloc(size, GRAIN);
        }
        if self.guarding.is_on() {
            return self.alloc_rounded(size, GRAIN);
        }
        let Some(class) = class_of(size) else {
            return self.alloc_rounded(size, GRAIN);
        };
        if thread::slot() == 0 {
            let _ = thread::claim_slot();
        }
        let mut inner = self.inner.lock()?;
        match self.alloc_classed(&mut inner, class, size)? {
            Some(at) => Ok(self.memory.address(at)),
            None => {
                drop(inner);
                // It may fit without being rounded up to its class.
                self.alloc_rounded(size, GRAIN)
            }
        }
    }

    fn alloc_classed(
        &self,
        inner: &mut Inner,
        class: usize,
        size: usize,
    ) -> Checked<Option<usize>> {
        let own = ThreadCache::own(class);
        if let Some(own) = own {
            if self.cache.is_damaged(&self.memory, class)? {
                return Err(super::Damaged);
            }
            if let Some(at) = inner.take_from_depot(self, class, own)? {
                // SAFETY: a cached block that was popped: nothing else refers to it.
                unsafe { self.set_live(at, size) };
                return Ok(Some(at));
            }
            return inner.alloc_run(self, class, own, size);
        }
        inner.engine.alloc(bytes_of(class), GRAIN, note(size))
    }

    /// Allocates a block that is aligned to more than the default.
    #[cold]
    pub(super) fn alloc_aligned(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        self.process.check()?;
        match &self.managed {
            Some(managed) => managed.alloc(size, align),
            None => self.alloc_rounded(size, align),
        }
    }

    /// Allocates a block of the next size that a list begins with.
    fn alloc_rounded(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        let no_memory = || error(libc::ENOMEM);
        let bytes = self.guarding.padded(size).and_then(round_up);
        let bytes = bytes.ok_or_else(no_memory)?;
        let mut inner = self.inner.lock()?;
        let at = match inner.engine.alloc(bytes, align, note(size))? {
            Some(at) => at,
            None => match self.reclaim(inner, bytes, align, note(size))? {
                Some(at) => at,
                None => {
                    self.counters.refusals.add();
                    return Err(no_memory());
                }
            },
        };
        self.guarding.draw(&self.memory, at, size);
        Ok(self.memory.address(at))
    }

    /// Returns cached blocks to the engine, one stack at a time, until there is room. At
    /// most [`super::grants::BLOCKS`] of them if no other thread uses the heap.
    #[cold]
    fn reclaim<'a>(
        &'a self,
        mut inner: Guard<'a, Inner>,
        bytes: usize,
        align: usize,
        note: u32,
    ) -> io::Result<Option<usize>> {
        let mut number = 0;
        self.counters.reclaims.add();
        while let Some(place) = inner.grants.place(number) {
            let taken = self.cache.take(place);
            number += 1;
            if taken.is_empty() {
                continue;
            }
            free_all(&mut inner.engine, taken)?;
            if let Some(at) = inner.engine.alloc(bytes, align, note)? {
                return Ok(Some(at));
            }
            if inner.is_wanted() {
                drop(inner);
                inner = self.inner.lock()?;
            }
        }
        Ok(None)
    }

    /// Frees a block for which this thread's cache has no room; errors as of
    /// [`Self::free`].
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    pub(crate) unsafe fn slow_free(&self, block: NonNull<u8>) -> io::Result<()> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            // SAFETY: by the precondition.
            return unsafe { managed.free(block) };
        }
        if thread::slot() == 0 {
            let _ = thread::claim_slot();
        }
        self.live(block)?;
        let mut inner = self.inner.lock()?;
        // Looked at again under the lock, which orders two threads that free the same block.
        let (at, owner) = self.live(block)?;
        self.guarding.check(&self.memory, at, owner)?;
        // SAFETY: `live` found it.
        let extent = unsafe { engine::extent_of(&self.memory, at) };
        if let Some(class) = class_within(engine::bytes_unless_aligned(extent)) {
            if let Some(own) = ThreadCache::own(class) {
                if inner.make_room(self, class, own)?
                    // SAFETY: by the precondition.
                    && unsafe { self.cache.push(&self.memory, class, at, owner) }
                {
                    return Ok(());
                }
            }
        }
        Ok(inner.engine.free(at)?)
    }
}
