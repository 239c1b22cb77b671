// SPDX-License-Identifier: MIT OR Apache-2.0

//! The heap of a partition, in one region of its reserve: a TLSF allocator behind a
//! lock, with a thread cache in front of it. O(1), no system call, no page fault.

mod inherited;
mod size_class;
mod stacks;
mod thread_cache;

use std::{alloc::Layout, io, ptr::NonNull};

use crate::{lock::PiMutex, process::Process, thread};
use size_class::{class_of, BYTES};
use thread_cache::ThreadCache;

/// Enough classes for heaps of 2^42 bytes.
type Tlsf = rlsf::Tlsf<'static, u32, u32, 32, 32>;

/// The header before each block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    /// Marks a live block.
    magic: u32,
    /// The block's size class in the thread cache, or [`NO_CLASS`].
    class: u32,
    /// Requested bytes.
    size: u32,
    /// Bytes from the start of the allocator's block to the caller's block, which is
    /// also its alignment.
    front: u32,
}

const LIVE: u32 = 0x6765_6e70;
const DEAD: u32 = 0;
const NO_CLASS: u32 = u32::MAX;
const HEADER: usize = size_of::<Header>();
/// The default alignment of blocks.
const ALIGN: usize = 16;

impl Header {
    /// Bytes that the block takes from the allocator.
    #[inline]
    fn total(&self) -> usize {
        match BYTES.get(self.class as usize) {
            Some(&bytes) => bytes as usize + HEADER,
            None => (self.size as usize).max(1) + self.front as usize,
        }
    }
}

struct Inner {
    tlsf: Tlsf,
    used: usize,
}

// SAFETY: the allocator holds pointers into memory that belongs to it alone.
unsafe impl Send for Inner {}

/// A heap.
pub(crate) struct Heap {
    /// The lowest address that a block can have.
    first: usize,
    cache: ThreadCache,
    inner: PiMutex<Inner>,
    /// The process whose heap it is.
    process: Process,
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// The header of a block.
///
/// # Safety
///
/// HEADER bytes lie before the block, which is aligned to 16.
#[inline]
unsafe fn header(block: NonNull<u8>) -> NonNull<Header> {
    // SAFETY: by the precondition.
    unsafe { block.sub(HEADER).cast() }
}

impl Inner {
    /// Returns a block to the allocator.
    ///
    /// # Safety
    ///
    /// The block was allocated from this heap, nothing else refers to it, and
    /// `header` is its header.
    #[inline]
    unsafe fn free(&mut self, block: NonNull<u8>, header: Header) {
        let front = header.front as usize;
        self.used -= header.total();
        // SAFETY: `init_block` put the block `front` bytes after what the allocator
        // returned, aligned to `front`.
        unsafe { self.tlsf.deallocate(block.sub(front), front) };
    }

    #[inline]
    fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        let base = self.tlsf.allocate(layout)?;
        self.used += layout.size();
        Some(base)
    }
}

impl Heap {
    /// A heap in this memory.
    ///
    /// # Safety
    ///
    /// The memory belongs to the heap for as long as that is used.
    pub(crate) unsafe fn new(start: NonNull<u8>, length: usize) -> io::Result<Self> {
        let mut tlsf = Tlsf::new();
        if length > 0 {
            // SAFETY: by the precondition.
            unsafe { tlsf.insert_free_block_ptr(NonNull::slice_from_raw_parts(start, length)) }
                .ok_or_else(|| error(libc::EINVAL))?;
        }
        // So that even the creator's first calls make no system call.
        thread::id();
        if thread::slot() == 0 {
            let _ = thread::claim_slot();
        }
        Ok(Self {
            first: start.as_ptr() as usize + HEADER,
            cache: ThreadCache::new(length, length.saturating_sub(HEADER)),
            inner: PiMutex::new(Inner { tlsf, used: 0 }),
            process: Process::current(),
        })
    }

    /// Allocates: EINVAL for an invalid alignment, ENOMEM, ECHILD, EDEADLK.
    #[inline]
    pub(crate) fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        if align > ALIGN {
            return self.alloc_unclassed(size, align);
        }
        match self.cached_alloc(size) {
            Some(block) => Ok(block),
            None => self.slow_alloc(size),
        }
    }

    /// Allocates from this thread's cache, if it has a block of that size.
    #[inline]
    pub(crate) fn cached_alloc(&self, size: usize) -> Option<NonNull<u8>> {
        let block = self.cache.pop(class_of(size)?)?;
        // SAFETY: `pop` returned a block of this heap that nothing else refers to.
        unsafe { Self::revive(block, size) };
        Some(block)
    }

    /// Turns a cached block into a live one.
    ///
    /// # Safety
    ///
    /// The block is of this heap, and nothing else refers to it.
    #[inline]
    unsafe fn revive(block: NonNull<u8>, size: usize) {
        // SAFETY: by the precondition it has a header.
        unsafe {
            let header = header(block).as_ptr();
            (*header).magic = LIVE;
            (*header).size = size as u32;
        }
    }

    /// Allocates when this thread's cache has no block: ENOMEM, ECHILD, EDEADLK.
    pub(crate) fn slow_alloc(&self, size: usize) -> io::Result<NonNull<u8>> {
        let Some(class) = class_of(size) else {
            return self.alloc_unclassed(size, ALIGN);
        };
        if thread::slot() == 0 {
            let _ = thread::claim_slot();
        }
        if let Some(block) = self.cache.receive(class) {
            // SAFETY: `receive` returned a block of this heap that nothing else refers to.
            unsafe { Self::revive(block, size) };
            return Ok(block);
        }
        let bytes = BYTES[class] as usize + HEADER;
        // SAFETY: far from overflowing, and aligned to a power of two.
        let layout = unsafe { Layout::from_size_align_unchecked(bytes, ALIGN) };
        match self.allocate(layout)? {
            Some(base) => Ok(Self::init_block(base, HEADER, size, class as u32)),
            // It may fit without being rounded up to its class.
            None => self.alloc_unclassed(size, ALIGN),
        }
    }

    /// Allocates a block of its exact size, which belongs to no class.
    fn alloc_unclassed(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        // The header fits into the padding of the alignment.
        let front = HEADER.max(align);
        let no_memory = || error(libc::ENOMEM);
        let total = size.max(1).checked_add(front).ok_or_else(no_memory)?;
        if u32::try_from(total).is_err() {
            return Err(no_memory());
        }
        let layout = Layout::from_size_align(total, front).map_err(|_| error(libc::EINVAL))?;
        let base = self.allocate(layout)?.ok_or_else(no_memory)?;
        Ok(Self::init_block(base, front, size, NO_CLASS))
    }

    /// Writes the header of a new block that begins at `base`.
    #[inline]
    fn init_block(base: NonNull<u8>, front: usize, size: usize, class: u32) -> NonNull<u8> {
        // SAFETY: `front` bytes lie before the block, HEADER of them at least, and
        // a multiple of 16 away from an aligned address.
        unsafe {
            let block = base.add(front);
            header(block).write(Header {
                magic: LIVE,
                class,
                size: size as u32,
                front: front as u32,
            });
            block
        }
    }

    /// Allocates from TLSF. If it has no memory, cached blocks are returned to it, one
    /// stack at a time. ECHILD in a forked child, EDEADLK in a signal handler.
    #[inline]
    fn allocate(&self, layout: Layout) -> io::Result<Option<NonNull<u8>>> {
        self.process.check()?;
        let base = self.inner.lock()?.allocate(layout);
        match base {
            Some(_) => Ok(base),
            None => self.reclaim(layout),
        }
    }

    #[cold]
    fn reclaim(&self, layout: Layout) -> io::Result<Option<NonNull<u8>>> {
        for which in 0..ThreadCache::stacks() {
            if self.cache.is_empty(which) {
                continue;
            }
            // Before the stack is taken: without the lock, its blocks could go nowhere.
            let mut inner = self.inner.lock()?;
            let mut next = self.cache.take(which);
            while let Some(block) = next {
                // SAFETY: `take` removed the whole stack: nothing else refers to its
                // blocks.
                unsafe {
                    next = ThreadCache::next_in_stack(block);
                    inner.free(block, header(block).read());
                }
            }
            if let Some(base) = inner.allocate(layout) {
                return Ok(Some(base));
            }
        }
        Ok(None)
    }

    /// The header of a block: None if it is no live block.
    #[inline]
    fn find(&self, block: NonNull<u8>) -> Option<NonNull<Header>> {
        if !self.has(block) || block.as_ptr() as usize % ALIGN != 0 {
            return None;
        }
        // SAFETY: within the heap, and not at its very beginning.
        unsafe {
            let header = header(block);
            ((*header.as_ptr()).magic == LIVE).then_some(header)
        }
    }

    /// Whether an address can be that of a block.
    #[inline]
    pub(crate) fn has(&self, block: NonNull<u8>) -> bool {
        (block.as_ptr() as usize).wrapping_sub(self.first) < self.cache.length()
    }

    /// The size that was requested at [`Self::alloc`]. EINVAL, ECHILD.
    pub(crate) fn size(&self, block: NonNull<u8>) -> io::Result<usize> {
        self.process.check()?;
        let header = self.find(block).ok_or_else(|| error(libc::EINVAL))?;
        // SAFETY: `find` returned it.
        Ok(unsafe { header.read() }.size as usize)
    }

    /// Frees a block into this thread's cache: false if there is no room or if it is
    /// no live block of this heap.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    #[inline]
    pub(crate) unsafe fn cached_free(&self, block: NonNull<u8>) -> bool {
        let Some(header) = self.find(block) else {
            return false;
        };
        let header = header.as_ptr();
        // SAFETY: `find` returned it. It is marked dead before other threads can see
        // it in a stack.
        unsafe {
            let class = (*header).class as usize;
            if class >= BYTES.len() {
                return false;
            }
            (*header).magic = DEAD;
            if self.cache.push(class, block) {
                return true;
            }
            (*header).magic = LIVE;
        }
        false
    }

    /// Frees a block: EINVAL for what is no live block, as far as it can be detected;
    /// ECHILD, EDEADLK.
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

    /// Frees a block for which this thread's cache has no room; errors as of
    /// [`Self::free`].
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    pub(crate) unsafe fn slow_free(&self, block: NonNull<u8>) -> io::Result<()> {
        let invalid = || error(libc::EINVAL);
        self.process.check()?;
        let header = self.find(block).ok_or_else(invalid)?.as_ptr();
        // SAFETY: `find` returned it.
        let class = unsafe { (*header).class } as usize;
        // SAFETY: by the precondition.
        if class < BYTES.len() && self.make_room(class) && unsafe { self.cached_free(block) } {
            return Ok(());
        }
        let mut inner = self.inner.lock()?;
        // SAFETY: `find` returned it. The magic is read again under the lock, which
        // orders two threads that free the same block.
        unsafe {
            if (*header).magic != LIVE {
                return Err(invalid());
            }
            (*header).magic = DEAD;
            inner.free(block, header.read());
        }
        Ok(())
    }

    /// Makes room in this thread's full stack of a class: false if that failed.
    #[inline]
    fn make_room(&self, class: usize) -> bool {
        match thread::slot() {
            0 => thread::claim_slot(),
            _ => self.cache.send(class),
        }
    }

    /// Bytes in live blocks, headers included: exact only while nobody allocates or
    /// frees. ECHILD, EDEADLK.
    pub(crate) fn used(&self) -> io::Result<usize> {
        self.process.check()?;
        let (blocks, bytes) = self.cache.cached();
        let used = self.inner.lock()?.used;
        Ok(used.saturating_sub(bytes + blocks * HEADER))
    }
}

#[cfg(test)]
mod tests;
