// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory until the library is started: for the dynamic linker, and for code that it
//! calls when it resolves IFUNCs of other libraries, perhaps before this library was
//! relocated. So nothing here uses thread-local variables or calls another library.
//! Blocks are never used again.

use std::{
    cell::UnsafeCell,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The dynamic linker takes less than 8 KiB.
const BYTES: usize = 256 << 10;
/// What is before a block: its size.
const HEADER: usize = 16;

#[repr(align(4096))]
struct Room(UnsafeCell<[u8; BYTES]>);

// SAFETY: each byte is given to one caller.
unsafe impl Sync for Room {}

static ROOM: Room = Room(UnsafeCell::new([0; BYTES]));
static USED: AtomicUsize = AtomicUsize::new(0);

/// Whether a block lies here.
#[inline(always)]
pub fn has(block: *const u8) -> bool {
    (block as usize).wrapping_sub(ROOM.0.get() as usize) < BYTES
}

/// Zeroes, aligned to a power of two. Null if there is no room: errno is not set, which
/// may not be there yet.
pub fn alloc(size: usize, align: usize) -> *mut u8 {
    let align = if align < HEADER { HEADER } else { align };
    if size > BYTES || align > BYTES {
        return ptr::null_mut();
    }
    let room = ROOM.0.get() as usize;
    let mut used = USED.load(Ordering::Relaxed);
    loop {
        let block = (room + used + HEADER + align - 1) & !(align - 1);
        let end = block + size - room;
        if end > BYTES {
            return ptr::null_mut();
        }
        match USED.compare_exchange(used, end, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                let block = (ROOM.0.get() as *mut u8).wrapping_add(block - room);
                // SAFETY: in the room, for us, and aligned to 16.
                unsafe { block.wrapping_sub(HEADER).cast::<usize>().write(size) };
                return block;
            }
            Err(other) => used = other,
        }
    }
}

/// The size of a block of here.
///
/// # Safety
///
/// [`alloc`] returned it.
pub unsafe fn size_of(block: *const u8) -> usize {
    // SAFETY: by the precondition.
    unsafe { block.wrapping_sub(HEADER).cast::<usize>().read() }
}
