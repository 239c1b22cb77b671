// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where a request is served, and whose a block is.

use std::{
    ffi::{c_int, c_void},
    io,
    ptr::{self, NonNull},
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

use genp::Arena;

use crate::{count, early, later, message::abort, next, sizes};

/// The alignment of malloc().
pub const ALIGN: usize = 16;

/// Whether the libraries behind this one can be called. Before, nothing of this library
/// may be used that the dynamic linker has to relocate.
static STARTED: AtomicBool = AtomicBool::new(false);
/// The heap, whose blocks may come at any time.
static HEAP: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());
/// The same while new blocks come from there.
static SERVING: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());
/// The same while blocks may go to caches and come from there unseen: not if their sizes are
/// counted.
static UNSEEN: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());
/// Whether libc serves what the heap has no room for.
static OVERFLOW: AtomicBool = AtomicBool::new(false);

/// Ends the early time. Context: the only thread there is.
pub fn start(arena: Option<&'static Arena>, overflow: bool) {
    let arena = arena.map_or(ptr::null_mut(), |arena| ptr::from_ref(arena).cast_mut());
    OVERFLOW.store(overflow, Ordering::Relaxed);
    HEAP.store(arena, Ordering::Relaxed);
    SERVING.store(arena, Ordering::Relaxed);
    if !sizes::are_counted() {
        UNSEEN.store(arena, Ordering::Relaxed);
    }
    STARTED.store(true, Ordering::Relaxed);
}

/// Lets libc serve all requests from now on. Context: a process with one thread.
pub fn stop_serving() {
    SERVING.store(ptr::null_mut(), Ordering::Relaxed);
    UNSEEN.store(ptr::null_mut(), Ordering::Relaxed);
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

/// The heap, if new blocks come from there and nobody counts them.
#[inline(always)]
pub fn unseen() -> Option<&'static Arena> {
    // SAFETY: as above.
    unsafe { UNSEEN.load(Ordering::Relaxed).as_ref() }
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
    let block = alloc_here(arena, size, align);
    // SAFETY: just allocated, or null.
    if let Some(size) = unsafe { counted(block) } {
        sizes::gained(size);
    }
    block
}

/// The bytes of a block if blocks are counted, and this one is.
///
/// # Safety
///
/// A live block, or null.
#[inline(always)]
unsafe fn counted(block: *mut c_void) -> Option<usize> {
    if !sizes::are_counted() || block.is_null() || early::has(block.cast()) {
        return None;
    }
    // SAFETY: by the precondition.
    Some(unsafe { usable_size(block) })
}

/// Allocates from the heap, or as is said for when that is full.
fn alloc_here(arena: &Arena, size: usize, align: usize) -> *mut c_void {
    let served = keeping_errno(|| {
        later::free_all(arena);
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
    // SAFETY: by the precondition.
    if let Some(size) = unsafe { counted(block) } {
        sizes::lost(size);
    }
    // SAFETY: by the precondition.
    unsafe { free_uncounted(block) };
}

/// # Safety
///
/// That of free().
unsafe fn free_uncounted(block: *mut c_void) {
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
        later::free_all(arena);
        // SAFETY: by the precondition.
        unsafe { arena.free(block) }
    });
    match freed {
        Ok(()) => {}
        // SAFETY: by the precondition.
        Err(error) if error.raw_os_error() == Some(libc::EDEADLK) => unsafe { later::leave(block) },
        Err(error) => misuse(&error, block.as_ptr()),
    }
}

/// Changes the size of whatever it is. As in the C library a size of 0 frees it.
///
/// # Safety
///
/// That of realloc().
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: by the precondition.
    let (old, new) = unsafe { (counted(block), resized(block, size)) };
    if let Some(old) = old.filter(|_| !new.is_null() || size == 0) {
        if new == block {
            sizes::lost(old);
        }
        // SAFETY: just allocated, or null.
        if let Some(new) = unsafe { counted(new) } {
            sizes::gained(new);
        }
        // One that moved was there until now.
        if new != block {
            sizes::lost(old);
        }
    }
    new
}

/// # Safety
///
/// That of realloc().
unsafe fn resized(block: *mut c_void, size: usize) -> *mut c_void {
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
        later::free_all(arena);
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
    unsafe { free_uncounted(block) };
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
