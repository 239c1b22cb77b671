// SPDX-License-Identifier: GPL-2.0

//! The heap of a partition: a TLSF allocator in one region of its reserve. O(1),
//! no system call, no page fault.

use std::{alloc::Layout, io, ptr::NonNull};

use crate::lock::PiMutex;

/// Classes enough for heaps of 2^42 bytes.
type Tlsf = rlsf::Tlsf<'static, u32, u32, 32, 32>;

/// What stands before each block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    /// Tells a live block from what is none.
    magic: u64,
    align: u32,
    size: u32,
}

const MAGIC: u64 = 0x6765_6e70_6c69_7665;
const HEADER: usize = std::mem::size_of::<Header>();

struct Inner {
    tlsf: Tlsf,
    used: usize,
}

// SAFETY: the allocator holds pointers into memory that belongs to it alone.
unsafe impl Send for Inner {}

/// A heap.
pub(crate) struct Heap(PiMutex<Inner>);

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
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
        PiMutex::new(Inner { tlsf, used: 0 }).map(Self)
    }

    /// Allocates: EINVAL for an alignment that is none, ENOMEM.
    pub(crate) fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        let align = align.max(16);
        let (Ok(size32), Ok(align32)) = (u32::try_from(size), u32::try_from(align)) else {
            return Err(error(libc::ENOMEM));
        };
        // The header fits in the room that the alignment takes anyway.
        let front = HEADER.max(align);
        let total = size
            .max(1)
            .checked_add(front)
            .ok_or_else(|| error(libc::ENOMEM))?;
        let layout = Layout::from_size_align(total, align).map_err(|_| error(libc::EINVAL))?;
        let mut inner = self.0.lock();
        let base = inner
            .tlsf
            .allocate(layout)
            .ok_or_else(|| error(libc::ENOMEM))?;
        inner.used += total;
        let header = Header {
            magic: MAGIC,
            align: align32,
            size: size32,
        };
        // SAFETY: `front` bytes lie before the block, HEADER of them at least, and
        // a multiple of 16 away from an aligned address.
        unsafe {
            let block = base.add(front);
            block.sub(HEADER).cast::<Header>().write(header);
            Ok(block)
        }
    }

    /// The header of a live block: EINVAL if it is none.
    ///
    /// # Safety
    ///
    /// HEADER bytes before `block` can be read.
    unsafe fn header(block: NonNull<u8>) -> io::Result<Header> {
        if block.as_ptr() as usize % 16 != 0 {
            return Err(error(libc::EINVAL));
        }
        // SAFETY: by the precondition, and aligned.
        let header = unsafe { block.sub(HEADER).cast::<Header>().read() };
        match header.magic {
            MAGIC => Ok(header),
            _ => Err(error(libc::EINVAL)),
        }
    }

    /// Bytes that were asked for at [`Self::alloc`]. EINVAL.
    ///
    /// # Safety
    ///
    /// HEADER bytes before `block` can be read.
    pub(crate) unsafe fn size(&self, block: NonNull<u8>) -> io::Result<usize> {
        // SAFETY: by the precondition.
        Ok(unsafe { Self::header(block)? }.size as usize)
    }

    /// Frees a block: EINVAL for what is no live block, as far as that shows.
    ///
    /// # Safety
    ///
    /// `block` lies in this heap, more than HEADER bytes above its start, and
    /// nobody uses it any longer.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        let mut inner = self.0.lock();
        // SAFETY: by the precondition.
        let header = unsafe { Self::header(block)? };
        let align = header.align as usize;
        let front = HEADER.max(align);
        // SAFETY: a live block of ours, laid out in `alloc`, which is dead from
        // here on.
        unsafe {
            block.sub(HEADER).cast::<Header>().write(Header {
                magic: 0,
                align: 0,
                size: 0,
            });
            inner.tlsf.deallocate(block.sub(front), align);
        }
        inner.used -= (header.size as usize).max(1) + front;
        Ok(())
    }

    /// Bytes in live blocks, headers included.
    pub(crate) fn used(&self) -> usize {
        self.0.lock().used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_heap(test: impl FnOnce(&Heap)) {
        let mut memory = vec![0u64; 1 << 17];
        let start = NonNull::new(memory.as_mut_ptr().cast()).unwrap();
        // SAFETY: `memory` outlives the heap.
        let heap = unsafe { Heap::new(start, memory.len() * 8) }.unwrap();
        test(&heap);
        assert_eq!(heap.used(), 0);
    }

    #[test]
    fn blocks_are_aligned_and_disjoint() {
        with_heap(|heap| {
            let mut blocks = Vec::new();
            for i in 0..200usize {
                let (size, align) = (1 + i * 7, 1 << (i % 9));
                let block = heap.alloc(size, align).unwrap();
                assert_eq!(block.as_ptr() as usize % align, 0);
                // SAFETY: just allocated.
                unsafe { block.write_bytes(i as u8, size) };
                blocks.push((block, size, i as u8));
            }
            for (block, size, byte) in blocks {
                // SAFETY: allocated above, freed here.
                unsafe {
                    assert_eq!(heap.size(block).unwrap(), size);
                    let bytes = std::slice::from_raw_parts(block.as_ptr(), size);
                    assert!(bytes.iter().all(|&b| b == byte));
                    heap.free(block).unwrap();
                }
            }
        });
    }

    #[test]
    fn misuse_is_an_error() {
        with_heap(|heap| {
            assert_eq!(
                heap.alloc(usize::MAX, 1).unwrap_err().raw_os_error(),
                Some(libc::ENOMEM)
            );
            assert_eq!(
                heap.alloc(1 << 30, 1).unwrap_err().raw_os_error(),
                Some(libc::ENOMEM)
            );
            assert_eq!(
                heap.alloc(8, 3 << 5).unwrap_err().raw_os_error(),
                Some(libc::EINVAL)
            );
            let block = heap.alloc(100, 1).unwrap();
            // SAFETY: addresses within the heap.
            unsafe {
                assert!(heap.free(block.add(1)).is_err());
                assert!(heap.free(block.add(16)).is_err());
                heap.free(block).unwrap();
                assert!(heap.free(block).is_err());
            }
        });
    }
}
