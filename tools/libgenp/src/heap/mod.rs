// SPDX-License-Identifier: MIT OR Apache-2.0

//! The heap of a partition, in one region of its reserve: a TLSF allocator behind a
//! lock, and before it stacks of blocks that were freed lately. O(1), no system
//! call, no page fault.

mod quick;

use std::{alloc::Layout, io, ptr::NonNull};

use crate::{lock::PiMutex, thread};
use quick::{class_of, Quick, BYTES};

/// Classes enough for heaps of 2^42 bytes.
type Tlsf = rlsf::Tlsf<'static, u32, u32, 32, 32>;

/// What stands before each block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    /// Tells a live block from what is none.
    magic: u32,
    /// The class of stacks that it belongs to, or [`NO_CLASS`].
    class: u32,
    /// Bytes that were asked for.
    size: u32,
    /// Bytes between its beginning for the allocator and for its owner, which is
    /// also its alignment.
    front: u32,
}

const LIVE: u32 = 0x6765_6e70;
const DEAD: u32 = 0;
const NO_CLASS: u32 = u32::MAX;
const HEADER: usize = size_of::<Header>();
/// The alignment of blocks of which no other was asked for.
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
    /// Where its first block can be, and how many bytes there are from there.
    first: usize,
    length: usize,
    quick: Quick,
    inner: PiMutex<Inner>,
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
    /// Gives a block back to the allocator.
    ///
    /// # Safety
    ///
    /// A block that was carved from this heap and is nobody's, and its header.
    #[inline]
    unsafe fn free(&mut self, block: NonNull<u8>, header: Header) {
        let front = header.front as usize;
        self.used -= header.total();
        // SAFETY: as it was laid out in `lay_out`.
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
        // So that not even the first calls of who creates it ask the kernel.
        thread::id();
        if thread::seat() == 0 {
            let _ = thread::sit_down();
        }
        Ok(Self {
            first: start.as_ptr() as usize + HEADER,
            length: length.saturating_sub(HEADER),
            quick: Quick::new(length),
            inner: PiMutex::new(Inner { tlsf, used: 0 }),
        })
    }

    /// Allocates: EINVAL for an alignment that is none, ENOMEM.
    #[inline]
    pub(crate) fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        if align > ALIGN {
            return self.carve(size, align);
        }
        match self.quick_alloc(size) {
            Some(block) => Ok(block),
            None => self.slow_alloc(size),
        }
    }

    /// A block that was freed lately by this thread, if one of that size waits.
    #[inline]
    pub(crate) fn quick_alloc(&self, size: usize) -> Option<NonNull<u8>> {
        let block = self.quick.pop(class_of(size)?)?;
        // SAFETY: from a stack of ours.
        unsafe { Self::revive(block, size) };
        Some(block)
    }

    /// Makes a live block of one that waited.
    ///
    /// # Safety
    ///
    /// A block of this heap that is nobody else's.
    #[inline]
    unsafe fn revive(block: NonNull<u8>, size: usize) {
        // SAFETY: by the precondition it has a header.
        unsafe {
            let header = header(block).as_ptr();
            (*header).magic = LIVE;
            (*header).size = size as u32;
        }
    }

    /// Allocates when no block waits here: ENOMEM.
    pub(crate) fn slow_alloc(&self, size: usize) -> io::Result<NonNull<u8>> {
        let Some(class) = class_of(size) else {
            return self.carve(size, ALIGN);
        };
        if thread::seat() == 0 {
            let _ = thread::sit_down();
        }
        if let Some(block) = self.quick.receive(class) {
            // SAFETY: from a stack of ours.
            unsafe { Self::revive(block, size) };
            return Ok(block);
        }
        let bytes = BYTES[class] as usize + HEADER;
        // SAFETY: far from overflowing, and aligned to a power of two.
        let layout = unsafe { Layout::from_size_align_unchecked(bytes, ALIGN) };
        match self.allocate(layout) {
            Some(base) => Ok(Self::lay_out(base, HEADER, size, class as u32)),
            // Without the room that its class has beyond it, it may fit.
            None => self.carve(size, ALIGN),
        }
    }

    /// Allocates a block that belongs to no class.
    fn carve(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        // The header fits in the room that the alignment takes anyway.
        let front = HEADER.max(align);
        let no_memory = || error(libc::ENOMEM);
        let total = size.max(1).checked_add(front).ok_or_else(no_memory)?;
        if u32::try_from(total).is_err() {
            return Err(no_memory());
        }
        let layout = Layout::from_size_align(total, front).map_err(|_| error(libc::EINVAL))?;
        let base = self.allocate(layout).ok_or_else(no_memory)?;
        Ok(Self::lay_out(base, front, size, NO_CLASS))
    }

    /// Writes the header of a new block that begins at `base`.
    #[inline]
    fn lay_out(base: NonNull<u8>, front: usize, size: usize, class: u32) -> NonNull<u8> {
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

    /// Memory from the allocator, for which waiting blocks go back to it if need be:
    /// one stack at a time.
    #[inline]
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let base = self.inner.lock().allocate(layout);
        base.or_else(|| self.reclaim(layout))
    }

    #[cold]
    fn reclaim(&self, layout: Layout) -> Option<NonNull<u8>> {
        (0..Quick::places()).find_map(|which| {
            let mut next = Some(self.quick.take(which)?);
            let mut inner = self.inner.lock();
            while let Some(block) = next {
                // SAFETY: the stack was taken away: its blocks are nobody else's.
                unsafe {
                    next = Quick::below(block);
                    inner.free(block, header(block).read());
                }
            }
            inner.allocate(layout)
        })
    }

    /// The header of a live block: None if it is none.
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

    /// Whether an address can be one of a block.
    #[inline]
    pub(crate) fn has(&self, block: NonNull<u8>) -> bool {
        (block.as_ptr() as usize).wrapping_sub(self.first) < self.length
    }

    /// Bytes that were asked for at [`Self::alloc`]. EINVAL.
    pub(crate) fn size(&self, block: NonNull<u8>) -> io::Result<usize> {
        let header = self.find(block).ok_or_else(|| error(libc::EINVAL))?;
        // SAFETY: it was found.
        Ok(unsafe { header.read() }.size as usize)
    }

    /// Leaves a block where this thread will find it: false if that cannot be, or if
    /// it is none of this heap.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    #[inline]
    pub(crate) unsafe fn quick_free(&self, block: NonNull<u8>) -> bool {
        let Some(header) = self.find(block) else {
            return false;
        };
        let header = header.as_ptr();
        // SAFETY: it was found. It is dead before others can see it in a stack.
        unsafe {
            let class = (*header).class as usize;
            if class >= BYTES.len() {
                return false;
            }
            (*header).magic = DEAD;
            if self.quick.push(class, block) {
                return true;
            }
            (*header).magic = LIVE;
        }
        false
    }

    /// Frees a block: EINVAL for what is no live block, as far as that shows.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    #[inline]
    pub(crate) unsafe fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        // SAFETY: by the precondition.
        if unsafe { self.quick_free(block) } {
            return Ok(());
        }
        // SAFETY: by the precondition.
        unsafe { self.slow_free(block) }
    }

    /// Frees a block for which there is no room here: EINVAL, as [`Self::free`].
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    pub(crate) unsafe fn slow_free(&self, block: NonNull<u8>) -> io::Result<()> {
        let invalid = || error(libc::EINVAL);
        let header = self.find(block).ok_or_else(invalid)?.as_ptr();
        // SAFETY: it was found.
        let class = unsafe { (*header).class } as usize;
        // SAFETY: by the precondition.
        if class < BYTES.len() && self.make_room(class) && unsafe { self.quick_free(block) } {
            return Ok(());
        }
        let mut inner = self.inner.lock();
        // SAFETY: it was found. A live block of ours is dead from here on; the magic
        // is read again, for the lock orders two that free the same.
        unsafe {
            if (*header).magic != LIVE {
                return Err(invalid());
            }
            (*header).magic = DEAD;
            inner.free(block, header.read());
        }
        Ok(())
    }

    /// Whether there is room in a stack of this thread now, as there was none.
    #[inline]
    fn make_room(&self, class: usize) -> bool {
        match thread::seat() {
            0 => thread::sit_down(),
            _ => self.quick.send(class),
        }
    }

    /// Bytes in live blocks, headers included: exact only while nobody allocates or
    /// frees.
    pub(crate) fn used(&self) -> usize {
        let (blocks, bytes) = self.quick.waiting();
        self.inner
            .lock()
            .used
            .saturating_sub(bytes + blocks * HEADER)
    }
}

#[cfg(test)]
mod tests;
