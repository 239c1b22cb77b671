// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a forked child has of the heap. The kernel gives it no mapping of the reserve, so
//! the used part is copied to memory of the process before the fork, and in the child that
//! memory is moved to where the reserve was. From then on it is memory like any other.

use std::{
    cell::Cell,
    ffi::c_void,
    ptr::{self, NonNull},
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use genp::{Arena, Held};

use crate::{
    fault,
    message::abort,
    next,
    serve::{self, set_errno},
    settings::Fork,
};

static POLICY: AtomicU8 = AtomicU8::new(Fork::Copy as u8);
/// Whether the memory of the heap is the partition's: not so in children.
static IN_PARTITION: AtomicBool = AtomicBool::new(false);

/// A fork under way.
struct Underway {
    held: Cell<Option<Held>>,
    /// A copy of the heap's memory.
    copy: Cell<Option<NonNull<u8>>>,
    /// Whether there was something to copy.
    copied: Cell<bool>,
    /// The process that forks.
    parent: Cell<libc::pid_t>,
    /// Forks in signal handlers that interrupted this one.
    inner: Cell<usize>,
}

// SAFETY: used only by a thread that holds the lock of the heap.
unsafe impl Sync for Underway {}

static UNDERWAY: Underway = Underway {
    held: Cell::new(None),
    copy: Cell::new(None),
    copied: Cell::new(false),
    parent: Cell::new(0),
    inner: Cell::new(0),
};

/// Makes the policy that of all forks from now on: false if there is no memory for that.
/// Context: when the heap is there, so that the handlers of libgenp come first in children.
pub fn install(policy: Fork) -> bool {
    POLICY.store(policy as u8, Ordering::Relaxed);
    IN_PARTITION.store(true, Ordering::Relaxed);
    // SAFETY: may be called at any time.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) == 0 }
}

fn is(policy: Fork) -> bool {
    POLICY.load(Ordering::Relaxed) == policy as u8
}

fn in_partition() -> bool {
    IN_PARTITION.load(Ordering::Relaxed)
}

/// The heap, if there is something to do for a fork.
fn concerned() -> Option<&'static Arena> {
    serve::heap().filter(|_| !(in_partition() && is(Fork::Abort)))
}

/// Memory for a copy of the heap, zeroes.
fn room(arena: &Arena) -> Option<NonNull<u8>> {
    // SAFETY: a new mapping where the kernel likes.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            arena.length(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    NonNull::new(start.cast()).filter(|_| start != libc::MAP_FAILED)
}

fn discard(arena: &Arena, copy: NonNull<u8>) {
    // SAFETY: a mapping of `room`.
    unsafe { libc::munmap(copy.as_ptr().cast(), arena.length()) };
}

extern "C" fn before() {
    let Some(arena) = concerned() else { return };
    let Ok(held) = arena.hold() else { return };
    if held == Held::Before && UNDERWAY.held.get().is_some() {
        return UNDERWAY.inner.set(UNDERWAY.inner.get() + 1);
    }
    UNDERWAY.held.set(Some(held));
    if !in_partition() {
        return;
    }
    let copy = room(arena);
    if let Some(copy) = copy {
        // SAFETY: it is held, and `copy` has zeroes.
        unsafe { arena.copy_to(held, copy.as_ptr()) };
    }
    UNDERWAY.copy.set(copy);
    // SAFETY: has no precondition.
    UNDERWAY.parent.set(unsafe { libc::getpid() });
    UNDERWAY.copied.set(true);
    fault::catch(touch);
}

/// The first touch of the heap in a child that has nothing there yet.
fn touch(address: *const c_void) -> bool {
    // SAFETY: has no precondition.
    let process = unsafe { libc::getpid() };
    let new = in_partition() && UNDERWAY.held.get().is_some() && UNDERWAY.parent.get() != process;
    let Some(arena) = serve::heap().filter(|arena| new && arena.has(address.cast())) else {
        return false;
    };
    move_in(arena);
    true
}

extern "C" fn in_parent() {
    let Some(arena) = concerned() else { return };
    if UNDERWAY.inner.get() > 0 {
        return UNDERWAY.inner.set(UNDERWAY.inner.get() - 1);
    }
    if UNDERWAY.copied.take() {
        fault::let_go();
    }
    if let Some(copy) = UNDERWAY.copy.take() {
        discard(arena, copy);
    }
    if let Some(held) = UNDERWAY.held.take() {
        // SAFETY: from `before`, in this thread.
        unsafe { arena.release(held) };
    }
}

extern "C" fn in_child() {
    let Some(arena) = serve::heap() else { return };
    if in_partition() && is(Fork::Abort) {
        abort(format_args!("GENP_FORK=abort: this program may not fork"));
    }
    let held = match UNDERWAY.held.get() {
        Some(held) if UNDERWAY.inner.get() == 0 => held,
        _ => abort(format_args!(
            "no copy of the heap for a child: it was forked while the heap was copied"
        )),
    };
    // Its pages may be there already, by the first touch.
    let copied = UNDERWAY.copied.take();
    if in_partition() {
        move_in(arena);
    }
    if copied {
        fault::let_go();
    }
    UNDERWAY.held.set(None);
    // SAFETY: a forked child, and libgenp's handlers came first.
    if unsafe { arena.adopt(held) }.is_err() {
        abort(format_args!("the heap of a forked child is damaged"));
    }
    if is(Fork::Libc) {
        serve::stop_serving();
    }
}

/// Moves the copy to where the heap was. Context: a forked child, also in a handler.
fn move_in(arena: &Arena) {
    let Some(copy) = UNDERWAY.copy.take() else {
        abort(format_args!("no memory for a copy of the heap for a child"));
    };
    let start = arena.start().as_ptr().cast::<c_void>();
    // SAFETY: the copy is ours; the child has nothing at the addresses of the reserve, as
    // nothing was mapped since the fork.
    let moved = unsafe {
        libc::mremap(
            copy.as_ptr().cast(),
            arena.length(),
            arena.length(),
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            start,
        )
    };
    if moved != start {
        abort(format_args!("the copy of the heap cannot be moved"));
    }
    IN_PARTITION.store(false, Ordering::Relaxed);
}

/// fork(), so that it fails with ENOMEM if there is no room for the copy, and with ENOTSUP on
/// a stack in the heap. Forks that the C library makes by itself come to the handlers only.
#[no_mangle]
pub extern "C" fn fork() -> libc::pid_t {
    if let Some(arena) = concerned().filter(|_| in_partition()) {
        let here = 0u8;
        if arena.has(&here) {
            set_errno(libc::ENOTSUP);
            return -1;
        }
        match room(arena) {
            Some(copy) => discard(arena, copy),
            None => {
                set_errno(libc::ENOMEM);
                return -1;
            }
        }
    }
    // SAFETY: found at the start, before which no code of the program runs.
    unsafe { next::fork() }
}
