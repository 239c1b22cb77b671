// SPDX-License-Identifier: MIT OR Apache-2.0

//! The manager that frees all blocks at once: a block is what comes next.
//!
//! A header of two words precedes each block: its bytes, and a seal made of its address and
//! of how often everything was freed, so that nothing else looks like a block.

use std::{
    ffi::{c_int, c_void},
    mem, ptr,
};

use super::Manager;
use crate::lock::PiMutex;

const HEADER: usize = 16;

struct State {
    /// Bytes that it has.
    length: usize,
    /// The first byte that is in no block.
    top: usize,
    /// Bytes in live blocks, headers and what their alignment took included.
    used: usize,
    /// How often everything was freed.
    generation: u64,
}

struct Arena {
    start: *mut u8,
    state: PiMutex<State>,
}

/// The manager of `genp_arena_manager()`.
pub static ARENA: Manager = Manager {
    size: mem::size_of::<Manager>() as u32,
    flags: 0,
    create: Some(create),
    destroy: Some(destroy),
    alloc: Some(alloc),
    free: Some(free),
    usable: Some(usable),
    free_all: Some(free_all),
    used: Some(used),
    resize: Some(resize),
};

fn fail(number: c_int) {
    // SAFETY: the calling thread's own errno.
    unsafe { *libc::__errno_location() = number };
}

impl Arena {
    /// The address of a header, if there can be one before this block.
    fn header(&self, block: usize, top: usize) -> Option<*mut u64> {
        let offset = block.checked_sub(self.start as usize)?;
        let inside = (HEADER..=top).contains(&offset) && offset % 16 == 0;
        inside.then(|| self.start.wrapping_add(offset - HEADER).cast())
    }

    fn seal(block: usize, bytes: u64, generation: u64) -> u64 {
        (block as u64 ^ bytes.rotate_left(32) ^ generation.rotate_left(48))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            | 1
    }

    /// The bytes of a live block.
    fn find(&self, state: &State, block: usize) -> Option<(*mut u64, usize)> {
        let header = self.header(block, state.top)?;
        // SAFETY: within the memory, and aligned.
        let (bytes, seal) = unsafe { (header.read(), header.add(1).read()) };
        let live = seal == Self::seal(block, bytes, state.generation);
        live.then_some((header, bytes as usize))
    }

    fn alloc(&self, state: &mut State, bytes: usize, align: usize) -> Option<*mut u8> {
        let bytes = bytes.max(1).checked_next_multiple_of(16)?;
        let start = self.start as usize;
        let block = (start + state.top + HEADER).checked_next_multiple_of(align)?;
        let end = (block - start).checked_add(bytes)?;
        if end > state.length {
            return None;
        }
        let header = self
            .start
            .wrapping_add(block - start - HEADER)
            .cast::<u64>();
        // SAFETY: within the memory, aligned, and in no block.
        unsafe {
            header.write(bytes as u64);
            let seal = Self::seal(block, bytes as u64, state.generation);
            header.add(1).write(seal);
        }
        state.used += bytes + HEADER;
        state.top = end;
        Some(self.start.wrapping_add(block - start))
    }

    fn free(&self, state: &mut State, block: usize) -> Option<()> {
        let (header, bytes) = self.find(state, block)?;
        // SAFETY: a header.
        unsafe { header.add(1).write(0) };
        state.used -= bytes + HEADER;
        let offset = block - self.start as usize;
        if offset + bytes == state.top {
            state.top = offset - HEADER;
        }
        Some(())
    }
}

unsafe extern "C" fn create(start: *mut c_void, length: usize) -> *mut c_void {
    let state = PiMutex::new(State {
        length,
        top: 0,
        used: 0,
        generation: 0,
    });
    Box::into_raw(Box::new(Arena {
        start: start.cast(),
        state,
    }))
    .cast()
}

unsafe extern "C" fn destroy(heap: *mut c_void) {
    // SAFETY: from `create`, once.
    drop(unsafe { Box::from_raw(heap.cast::<Arena>()) });
}

/// Runs something under the lock; what fails leaves an errno.
///
/// # Safety
///
/// From `create`, and not destroyed.
unsafe fn locked<T>(
    heap: *mut c_void,
    otherwise: T,
    error: c_int,
    run: impl FnOnce(&Arena, &mut State) -> Option<T>,
) -> T {
    // SAFETY: by the precondition.
    let arena = unsafe { &*heap.cast::<Arena>() };
    let result = match arena.state.lock() {
        Ok(mut state) => run(arena, &mut state).ok_or(error),
        Err(error) => Err(error.raw_os_error().unwrap_or(libc::EIO)),
    };
    result.unwrap_or_else(|error| {
        fail(error);
        otherwise
    })
}

unsafe extern "C" fn alloc(heap: *mut c_void, bytes: usize, align: usize) -> *mut c_void {
    let run = |arena: &Arena, state: &mut State| Some(arena.alloc(state, bytes, align)?.cast());
    // SAFETY: says the header.
    unsafe { locked(heap, ptr::null_mut(), libc::ENOMEM, run) }
}

unsafe extern "C" fn free(heap: *mut c_void, block: *mut c_void) -> c_int {
    let run = |arena: &Arena, state: &mut State| arena.free(state, block as usize).map(|()| 0);
    // SAFETY: says the header.
    unsafe { locked(heap, -1, libc::EINVAL, run) }
}

unsafe extern "C" fn usable(heap: *mut c_void, block: *mut c_void) -> usize {
    let run = |arena: &Arena, state: &mut State| Some(arena.find(state, block as usize)?.1);
    // SAFETY: says the header.
    unsafe { locked(heap, 0, libc::EINVAL, run) }
}

unsafe extern "C" fn free_all(heap: *mut c_void) -> c_int {
    let run = |_: &Arena, state: &mut State| {
        *state = State {
            length: state.length,
            top: 0,
            used: 0,
            generation: state.generation.wrapping_add(1),
        };
        Some(0)
    };
    // SAFETY: says the header.
    unsafe { locked(heap, -1, libc::EIO, run) }
}

unsafe extern "C" fn used(heap: *mut c_void) -> usize {
    // SAFETY: says the header.
    unsafe { locked(heap, 0, libc::EIO, |_, state| Some(state.used)) }
}

unsafe extern "C" fn resize(heap: *mut c_void, length: usize) -> c_int {
    let run = |_: &Arena, state: &mut State| {
        (state.top <= length).then(|| {
            state.length = length;
            0
        })
    };
    // SAFETY: says the header.
    unsafe { locked(heap, -1, libc::EBUSY, run) }
}
