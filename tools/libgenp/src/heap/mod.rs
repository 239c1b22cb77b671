// SPDX-License-Identifier: MIT OR Apache-2.0

//! The heap of a partition, in one region of its reserve: an allocator behind a lock, with
//! a thread cache in front of it. No system call, no page fault, and no call takes more
//! than a fixed number of steps.

mod batch;
pub(crate) mod bound;
mod child;
mod engine;
mod grants;
mod guard;
mod inherited;
pub(crate) mod lists;
mod memory;
mod realloc;
mod reset;
mod size;
mod size_class;
mod slow;
mod stacks;
mod statistics;
mod thread_cache;
mod told;

use std::{ffi::c_void, io, ptr::NonNull, sync::atomic::AtomicU64};

use crate::{
    lock::PiMutex,
    manager::{Managed, Manager},
    process::Owner,
    thread,
};
pub use child::Held;
use engine::Engine;
use grants::Grants;
use guard::Guarding;
use memory::{Damaged, Memory, State, HEADER};
use size_class::{class_of, class_within, GRAIN};
use statistics::Counters;
pub use statistics::{ClassStat, HeapStat};
use thread_cache::ThreadCache;

struct Inner {
    engine: Engine,
    grants: Grants,
}

/// A heap.
pub(crate) struct Heap {
    memory: Memory,
    cache: ThreadCache,
    inner: PiMutex<Inner>,
    /// The process whose heap it is.
    process: Owner,
    guarding: Guarding,
    counters: Counters,
    /// Who has the memory, if it is not this heap: then this one has no bytes.
    managed: Option<Managed>,
}

/// Bytes that a block of `size` takes in a heap, its header included and without an alignment.
/// They suffice for the next one of the same size, too.
pub(crate) fn bytes_for(size: usize) -> usize {
    let bytes = match class_of(size) {
        Some(class) => size_class::bytes_of(class),
        None => lists::round_up(size).unwrap_or(size),
    };
    bytes.saturating_add(HEADER)
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl From<Damaged> for io::Error {
    #[cold]
    fn from(_: Damaged) -> Self {
        error(libc::ENOTRECOVERABLE)
    }
}

/// What is noted of a requested size.
#[inline(always)]
fn note(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl Heap {
    /// A heap in this memory.
    ///
    /// # Safety
    ///
    /// The memory belongs to the heap for as long as that is used.
    pub(crate) unsafe fn new(start: NonNull<u8>, length: usize) -> io::Result<Self> {
        // SAFETY: by the precondition.
        unsafe { Self::with(start, length, Guarding::of_process()) }
    }

    /// A heap without memory.
    pub(crate) fn none() -> io::Result<Self> {
        // SAFETY: a heap of no bytes uses no memory.
        unsafe { Self::new(NonNull::dangling(), 0) }
    }

    /// A heap of another manager in this memory.
    ///
    /// # Safety
    ///
    /// As of [`Self::new`], and of [`Managed::new`].
    pub(crate) unsafe fn managed(
        manager: &Manager,
        start: NonNull<u8>,
        length: usize,
    ) -> io::Result<Self> {
        // SAFETY: a heap of no bytes uses no memory; the rest is by the precondition.
        unsafe {
            let mut heap = Self::with(NonNull::dangling(), 0, Guarding::Off)?;
            heap.managed = Some(Managed::new(manager, start, length)?);
            Ok(heap)
        }
    }

    /// A heap that a manager has begun already: the one it gave.
    ///
    /// # Safety
    ///
    /// As of [`Managed::begun`].
    pub(crate) unsafe fn begun(
        manager: &Manager,
        heap: NonNull<c_void>,
        length: usize,
    ) -> io::Result<Self> {
        // SAFETY: by the precondition; a heap of no bytes uses no memory.
        unsafe {
            let managed = Managed::begun(manager, heap, length)?;
            let mut heap = Self::with(NonNull::dangling(), 0, Guarding::Off)?;
            heap.managed = Some(managed);
            Ok(heap)
        }
    }

    /// The same with a choice of what is checked.
    ///
    /// # Safety
    ///
    /// As of [`Self::new`].
    unsafe fn with(start: NonNull<u8>, length: usize, guarding: Guarding) -> io::Result<Self> {
        let front = start.as_ptr().align_offset(GRAIN).min(length);
        let end = (length - front).saturating_sub(HEADER) / GRAIN * GRAIN;
        // SAFETY: by the precondition, aligned here.
        let memory = unsafe { Memory::new(start.add(front), end) };
        let engine = Engine::new(memory.same())?;
        // So that even the creator's first calls make no system call.
        thread::id();
        if thread::slot() == 0 {
            let _ = thread::claim_slot();
        }
        let cached = if guarding.is_on() { 0 } else { end };
        Ok(Self {
            memory,
            cache: ThreadCache::new(end)?,
            inner: PiMutex::new(Inner {
                engine,
                grants: Grants::new(cached),
            }),
            process: Owner::current(),
            guarding,
            counters: Counters::default(),
            managed: None,
        })
    }

    /// Tells here how much of the heap is in use, blocks in caches included, and how much was
    /// at most. EDEADLK.
    ///
    /// # Safety
    ///
    /// Two words there are the heap's for as long as that is used.
    pub(crate) unsafe fn tell_at(&self, figures: NonNull<[AtomicU64; 2]>) -> io::Result<()> {
        let mut inner = self.inner.lock()?;
        // SAFETY: by the precondition.
        unsafe { inner.engine.tell_at(figures) };
        Ok(())
    }

    /// Allocates: EINVAL for an alignment that is no power of two, ENOMEM, ECHILD,
    /// EDEADLK, ENOTRECOVERABLE.
    #[inline]
    pub(crate) fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        if !align.is_power_of_two() {
            return Err(error(libc::EINVAL));
        }
        if align > GRAIN {
            return self.alloc_aligned(size, align);
        }
        match self.cached_alloc(size) {
            Some(block) => Ok(block),
            None => self.slow_alloc(size),
        }
    }

    /// Allocates from this thread's cache, if it has a block of that size.
    #[inline(always)]
    pub(crate) fn cached_alloc(&self, size: usize) -> Option<NonNull<u8>> {
        let at = self.cache.pop(&self.memory, class_of(size)?)?;
        // SAFETY: `pop` returned a block of this heap that nothing else refers to.
        unsafe { self.set_live(at, size) };
        Some(self.memory.address(at))
    }

    /// Makes a block live.
    ///
    /// # Safety
    ///
    /// `at` is a block, and the caller's.
    #[inline(always)]
    unsafe fn set_live(&self, at: usize, size: usize) {
        let owner = self.memory.seal(at, State::Live, note(size));
        // SAFETY: by the precondition. Relaxed: who frees it was given it.
        unsafe { self.memory.word_at(at) }.store(owner, std::sync::atomic::Ordering::Relaxed);
    }

    /// A live block with its owner word: None if it is none.
    #[inline(always)]
    fn find(&self, block: NonNull<u8>) -> Option<(usize, u64)> {
        let at = self.memory.offset(block);
        if at >= self.cache.length() || at % GRAIN != 0 {
            return None;
        }
        // SAFETY: within the memory, and aligned.
        let owner = unsafe { self.memory.word_at(at) }.load(std::sync::atomic::Ordering::Relaxed);
        self.memory.note_if(at, State::Live, owner)?;
        Some((at, owner))
    }

    /// The same, or EINVAL.
    fn live(&self, block: NonNull<u8>) -> io::Result<(usize, u64)> {
        self.find(block).ok_or_else(|| error(libc::EINVAL))
    }

    /// Whether an address can be that of a block.
    #[inline]
    pub(crate) fn has(&self, block: NonNull<u8>) -> bool {
        self.memory.offset(block) < self.cache.length()
    }

    /// The size that was requested at [`Self::alloc`]; of 4 GiB and more, all that the
    /// block has. EINVAL, ECHILD.
    pub(crate) fn size(&self, block: NonNull<u8>) -> io::Result<usize> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            return managed.usable(block);
        }
        let (at, owner) = self.live(block)?;
        match (owner >> 32) as u32 {
            // SAFETY: `live` found it.
            u32::MAX => Ok(engine::bytes(unsafe {
                engine::extent_of(&self.memory, at)
            })),
            size => Ok(size as usize),
        }
    }

    /// Bytes that a live block has, of which the caller may use all. EINVAL, ECHILD.
    pub(crate) fn usable(&self, block: NonNull<u8>) -> io::Result<usize> {
        if self.guarding.is_on() {
            // What is behind them is looked at.
            return self.size(block);
        }
        self.process.check()?;
        if let Some(managed) = &self.managed {
            return managed.usable(block);
        }
        let (at, _) = self.live(block)?;
        // SAFETY: `live` found it.
        Ok(engine::bytes(unsafe {
            engine::extent_of(&self.memory, at)
        }))
    }

    /// Frees a block into this thread's cache: false if there is no room or if it is
    /// no live block of this heap.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    #[inline(always)]
    pub(crate) unsafe fn cached_free(&self, block: NonNull<u8>) -> bool {
        let Some((at, owner)) = self.find(block) else {
            return false;
        };
        // SAFETY: `find` returned it.
        let extent = unsafe { engine::extent_of(&self.memory, at) };
        match class_within(engine::bytes_unless_aligned(extent)) {
            // SAFETY: by the precondition.
            Some(class) => unsafe { self.cache.push(&self.memory, class, at, owner) },
            None => false,
        }
    }

    /// Frees a block: EINVAL for what is no live block, ECHILD, EDEADLK, ENOTRECOVERABLE.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    #[inline]
    pub(crate) unsafe fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        // SAFETY: by the precondition.
        if unsafe { self.cached_free(block) } {
            return Ok(());
        }
        // SAFETY: by the precondition.
        unsafe { self.slow_free(block) }
    }
}

#[cfg(test)]
mod tests;
