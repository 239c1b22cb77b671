// SPDX-License-Identifier: MIT OR Apache-2.0

//! The allocator of a whole program.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};

use super::not_freed;
use crate::Arena;

/// An allocator for `#[global_allocator]`: the C library's until [`Self::enter`] gives it the
/// heap of a partition, and that from then on. What is allocated before stays where it is.
///
/// A forked child has no heap: its allocations fail, so that it can do nothing but exec.
/// [`Arena::adopt`] is for children that go on.
///
/// ```no_run
/// use genp::{Arena, Descriptor, Global};
///
/// #[global_allocator]
/// static GLOBAL: Global = Global::new();
///
/// fn main() -> std::io::Result<()> {
///     let part = Descriptor::create(genp::abi::genp_create {
///         reserve: 64 << 20,
///         node: genp::abi::GENP_ANY_NODE,
///         ..Default::default()
///     })?;
///     GLOBAL.enter(Box::leak(Box::new(Arena::of(&part)?)));
///     Ok(())
/// }
/// ```
pub struct Global {
    arena: AtomicPtr<Arena>,
    overflows: bool,
    overflowed: AtomicU64,
}

impl Default for Global {
    fn default() -> Self {
        Self::new()
    }
}

impl Global {
    /// One that refuses when the heap is full.
    pub const fn new() -> Self {
        Self {
            arena: AtomicPtr::new(ptr::null_mut()),
            overflows: false,
            overflowed: AtomicU64::new(0),
        }
    }

    /// One that takes from the C library when the heap is full, and counts that.
    pub const fn with_overflow() -> Self {
        Self {
            overflows: true,
            ..Self::new()
        }
    }

    /// Allocates from this heap from here on. EBUSY if there is one already.
    pub fn enter(&self, arena: &'static Arena) -> io::Result<()> {
        let arena = ptr::from_ref(arena).cast_mut();
        // Release: publishes the arena. Pairs with `arena`.
        self.arena
            .compare_exchange(ptr::null_mut(), arena, Ordering::Release, Ordering::Relaxed)
            .map(|_| ())
            .map_err(|_| io::Error::from_raw_os_error(libc::EBUSY))
    }

    /// How many allocations the C library served because the heap was full.
    pub fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    #[inline]
    fn arena(&self) -> Option<&Arena> {
        // Acquire: pairs with `enter`.
        // SAFETY: null, or from `enter`, for good.
        unsafe { self.arena.load(Ordering::Acquire).as_ref() }
    }

    /// The heap is full, or refuses for another reason.
    #[cold]
    fn overflow(&self, error: &io::Error, layout: Layout) -> *mut u8 {
        if !self.overflows || error.raw_os_error() != Some(libc::ENOMEM) {
            return ptr::null_mut();
        }
        self.overflowed.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's layout, which is not empty.
        unsafe { System.alloc(layout) }
    }
}

// SAFETY: each block is freed by the allocator that it came from, which its address tells.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(arena) = self.arena() else {
            // SAFETY: by the trait.
            return unsafe { System.alloc(layout) };
        };
        match arena.alloc(layout.size(), layout.align()) {
            Ok(block) => block.as_ptr(),
            Err(error) => self.overflow(&error, layout),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match (self.arena(), NonNull::new(block)) {
            (Some(arena), Some(start)) if arena.has(block) => {
                // SAFETY: by the trait.
                if let Err(error) = unsafe { arena.free(start) } {
                    not_freed(&error);
                }
            }
            // SAFETY: by the trait.
            _ => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (arena, start) = match (self.arena(), NonNull::new(block)) {
            (Some(arena), Some(start)) if arena.has(block) => (arena, start),
            // SAFETY: by the trait.
            _ => return unsafe { System.realloc(block, layout, size) },
        };
        // SAFETY: by the trait.
        let error = match unsafe { arena.realloc(start, size) } {
            Ok(block) => return block.as_ptr(),
            Err(error) => error,
        };
        // SAFETY: by the trait: rounded up to the alignment, it is not too large.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let moved = self.overflow(&error, wanted);
        if !moved.is_null() {
            // SAFETY: two blocks, both of at least that many bytes.
            unsafe { moved.copy_from_nonoverlapping(block, layout.size().min(size)) };
            // SAFETY: by the trait.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}
