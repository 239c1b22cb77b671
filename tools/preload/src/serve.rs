// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where a request is served, and whose a block is.

use std::{
    ffi::{c_int, c_void},
    io,
    ptr::{self, NonNull},
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

use genp::Arena;

use crate::{count, early, message::abort, next};

/// The alignment of malloc().
pub const ALIGN: usize = 16;

/// Whether the libraries behind this one can be called. Before, nothing of this library
/// may be used that the dynamic linker has to relocate.
static STARTED: AtomicBool = AtomicBool::new(false);
/// The heap, whose blocks may come at any time.
static HEAP: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());
/// The same while new blocks come from there.
static SERVING: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());
/// Whether libc serves what the heap has no room for.
static OVERFLOW: AtomicBool = AtomicBool::new(false);
/// Blocks that were freed in signal handlers which could not have the lock. The first
/// word of each is the next one.
static LATER: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// Ends the early time. Context: the only thread there is.
pub fn start(arena: Option<&'static Arena>, overflow: bool) {
    let arena = arena.map_or(ptr::null_mut(), |arena| ptr::from_ref(arena).cast_mut());
    OVERFLOW.store(overflow, Ordering::Relaxed);
    HEAP.store(arena, Ordering::Relaxed);
    SERVING.store(arena, Ordering::Relaxed);
    STARTED.store(true, Ordering::Relaxed);
}

/// Lets libc serve all requests from now on. Context: a process with one thread.
pub fn stop_serving() {
    SERVING.store(ptr::null_mut(), Ordering::Relaxed);
}

/// Whether the library was started.
#[inline(always)]
pub fn started() -> bool {
    // Relaxed, as for all of these: written before there is a second thread.
    STARTED.load(Ordering::Relaxed)
}

/// The heap, if there is one.
#[inline(always)]
pub fn heap() -> Option<&'static Arena> {
    // SAFETY: null, or given to `start` for good.
    unsafe { HEAP.load(Ordering::Relaxed).as_ref() }
}

/// The heap, if new blocks come from there.
#[inline(always)]
pub fn serving() -> Option<&'static Arena> {
    // SAFETY: as above.
    unsafe { SERVING.load(Ordering::Relaxed).as_ref() }
}

/// Whose a block is.
enum Owner {
    Heap(&'static Arena, NonNull<u8>),
    Early,
    Other,
}

fn owner(block: *mut c_void) -> Owner {
    let found = heap().filter(|arena| arena.has(block.cast()));
    match (found, NonNull::new(block.cast())) {
        (Some(arena), Some(block)) => Owner::Heap(arena, block),
        _ if early::has(block.cast()) => Owner::Early,
        _ => Owner::Other,
    }
}

/// Sets errno.
pub fn set_errno(number: c_int) {
    // SAFETY: the calling thread's own.
    unsafe { *libc::__errno_location() = number };
}

/// Calls a function of the heap, which may change errno, and changes it back.
fn keeping_errno<T>(call: impl FnOnce() -> T) -> T {
    // SAFETY: the calling thread's own.
    let errno = unsafe { *libc::__errno_location() };
    let result = call();
    set_errno(errno);
    result
}

/// NULL with ENOMEM. Early there is no errno.
#[cold]
pub fn no_memory() -> *mut c_void {
    if started() {
        set_errno(libc::ENOMEM);
    }
    ptr::null_mut()
}

/// A block of libc's. Context: started.
fn libc_alloc(size: usize, align: usize) -> *mut c_void {
    // SAFETY: the functions were found at the start.
    unsafe {
        match align <= ALIGN {
            true => next::malloc(size),
            false => next::memalign(align, size),
        }
    }
}

/// What is to be done about an error of the heap.
enum Instead {
    Refuse,
    Libc,
}

fn instead(error: &io::Error, block: *const u8) -> Instead {
    match error.raw_os_error() {
        Some(libc::ENOMEM) if OVERFLOW.load(Ordering::Relaxed) => {
            count::OVERFLOWED.add_one();
            Instead::Libc
        }
        Some(libc::ENOMEM) => {
            count::REFUSED.add_one();
            Instead::Refuse
        }
        // A handler interrupted its own thread within the heap, not within libc's.
        Some(libc::EDEADLK) => {
            count::IN_HANDLERS.add_one();
            Instead::Libc
        }
        Some(libc::ECHILD) => Instead::Libc,
        _ => misuse(error, block),
    }
}

/// Ends the program, as the C library does.
#[cold]
fn misuse(error: &io::Error, block: *const u8) -> ! {
    match error.raw_os_error() {
        Some(libc::EINVAL) => abort(format_args!("{block:p} is no live block: freed twice?")),
        _ => abort(format_args!(
            "somebody wrote before, behind or into a freed block (at {block:p})"
        )),
    }
}

/// Allocates, aligned to a power of two.
#[cold]
pub fn alloc(size: usize, align: usize) -> *mut c_void {
    if !started() {
        return early::alloc(size, align).cast();
    }
    let Some(arena) = serving() else {
        return libc_alloc(size, align);
    };
    let served = keeping_errno(|| {
        free_later_ones(arena);
        match align.max(size) > arena.length() {
            true => Err(io::Error::from_raw_os_error(libc::ENOMEM)),
            false => arena.alloc(size, align),
        }
    });
    match served {
        Ok(block) => block.as_ptr().cast(),
        Err(error) => match instead(&error, ptr::null()) {
            Instead::Refuse => no_memory(),
            Instead::Libc => libc_alloc(size, align),
        },
    }
}

/// Frees whatever it is.
///
/// # Safety
///
/// That of free().
#[cold]
pub unsafe fn free(block: *mut c_void) {
    match owner(block) {
        // SAFETY: by the precondition.
        Owner::Heap(arena, start) => unsafe { free_here(arena, start) },
        Owner::Early => {}
        // SAFETY: by the precondition; nobody else's is there before the start.
        Owner::Other if started() => unsafe { next::free(block) },
        Owner::Other => {}
    }
}

/// Frees a block of the heap.
///
/// # Safety
///
/// Nobody uses it any longer.
unsafe fn free_here(arena: &Arena, block: NonNull<u8>) {
    let freed = keeping_errno(|| {
        free_later_ones(arena);
        // SAFETY: by the precondition.
        unsafe { arena.free(block) }
    });
    match freed {
        Ok(()) => {}
        // SAFETY: by the precondition.
        Err(error) if error.raw_os_error() == Some(libc::EDEADLK) => unsafe { free_later(block) },
        Err(error) => misuse(&error, block.as_ptr()),
    }
}

/// Leaves a block to the next call that can have the lock.
///
/// # Safety
///
/// A live block, which nobody uses any longer.
unsafe fn free_later(block: NonNull<u8>) {
    let block = block.as_ptr().cast::<c_void>();
    let mut first = LATER.load(Ordering::Relaxed);
    loop {
        // SAFETY: by the precondition; a block has 16 bytes at least.
        unsafe { block.cast::<*mut c_void>().write(first) };
        // Release: pairs with `free_later_ones`.
        match LATER.compare_exchange(first, block, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => first = other,
        }
    }
}

/// Frees what handlers could not free.
fn free_later_ones(arena: &Arena) {
    if LATER.load(Ordering::Relaxed).is_null() {
        return;
    }
    // Acquire: pairs with `free_later`.
    let mut next = LATER.swap(ptr::null_mut(), Ordering::Acquire);
    while let Some(block) = NonNull::new(next.cast::<u8>()) {
        // SAFETY: written by `free_later`.
        next = unsafe { block.cast::<*mut c_void>().read() };
        // SAFETY: says `free_later`; nobody else took it.
        if unsafe { arena.free(block) }.is_err() {
            // SAFETY: as above.
            unsafe { free_later(block) };
        }
    }
}

/// Changes the size of whatever it is. As in the C library a size of 0 frees it.
///
/// # Safety
///
/// That of realloc().
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: by the precondition, in all of these.
    unsafe {
        match owner(block) {
            Owner::Heap(arena, start) => {
                if size == 0 {
                    free_here(arena, start);
                    return ptr::null_mut();
                }
                realloc_here(arena, start, size)
            }
            Owner::Early => moved(
                block,
                early::size_of(block.cast()),
                size,
                alloc(size, ALIGN),
            ),
            Owner::Other if started() => next::realloc(block, size),
            Owner::Other => ptr::null_mut(),
        }
    }
}

/// # Safety
///
/// Nobody uses the block meanwhile.
unsafe fn realloc_here(arena: &Arena, block: NonNull<u8>, size: usize) -> *mut c_void {
    let to_libc = || {
        let old = arena.size_of(block).unwrap_or(0);
        // SAFETY: by the precondition.
        unsafe { moved(block.as_ptr().cast(), old, size, libc_alloc(size, ALIGN)) }
    };
    if serving().is_none() {
        return to_libc();
    }
    let resized = keeping_errno(|| {
        free_later_ones(arena);
        // SAFETY: by the precondition.
        unsafe { arena.realloc(block, size) }
    });
    match resized {
        Ok(block) => block.as_ptr().cast(),
        Err(error) => match instead(&error, block.as_ptr()) {
            Instead::Refuse => no_memory(),
            Instead::Libc => to_libc(),
        },
    }
}

/// Moves a block of `old` bytes to a new one, if there is that.
///
/// # Safety
///
/// The blocks are the caller's.
unsafe fn moved(block: *mut c_void, old: usize, size: usize, new: *mut c_void) -> *mut c_void {
    if new.is_null() {
        return new;
    }
    let count = old.min(size);
    for at in 0..count {
        // Not by memcpy(), which may not be there yet.
        // SAFETY: within both.
        unsafe {
            let byte = block.cast::<u8>().add(at).read_volatile();
            new.cast::<u8>().add(at).write_volatile(byte);
        }
    }
    // SAFETY: by the precondition.
    unsafe { free(block) };
    new
}

/// The bytes that may be used of whatever it is.
///
/// # Safety
///
/// A live block, or null.
pub unsafe fn usable_size(block: *mut c_void) -> usize {
    match owner(block) {
        Owner::Heap(arena, start) => arena.size_of(start).unwrap_or(0),
        // SAFETY: by the precondition.
        Owner::Early => unsafe { early::size_of(block.cast()) },
        // SAFETY: by the precondition.
        Owner::Other if started() => unsafe { next::usable_size(block) },
        Owner::Other => 0,
    }
}
