// SPDX-License-Identifier: MIT OR Apache-2.0

//! The first touch of the heap in a forked child. In a program with threads the C library
//! looks at its own blocks in the child (streams, name services, keys of threads) before it
//! calls any handler of fork(). So SIGSEGV is caught from shortly before the fork to the
//! handler; what others get meanwhile goes where it would have gone.

use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    mem::{self, MaybeUninit},
    ptr,
};

/// Sees to a fault at an address, if it is one of those.
pub type Touch = fn(*const c_void) -> bool;

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// What was before. Used only by a thread that holds the lock of the heap and by [`caught`].
struct Before {
    action: Cell<MaybeUninit<libc::sigaction>>,
    /// What the signal is caught for.
    touch: Cell<Option<Touch>>,
    /// Whether the forking thread blocked the signal.
    blocked: Cell<bool>,
}

// SAFETY: as said there.
unsafe impl Sync for Before {}

static BEFORE: Before = Before {
    action: Cell::new(MaybeUninit::zeroed()),
    touch: Cell::new(None),
    blocked: Cell::new(false),
};

/// The set of this signal.
fn only() -> libc::sigset_t {
    let mut set = MaybeUninit::zeroed();
    // SAFETY: the set may be written.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGSEGV);
        set.assume_init()
    }
}

/// Catches the signal from now on.
pub fn catch(touch: Touch) {
    BEFORE.touch.set(Some(touch));
    // SAFETY: all bytes of it may be 0.
    let mut ours: libc::sigaction = unsafe { mem::zeroed() };
    ours.sa_sigaction = caught as *const () as usize;
    // Not on the alternate stack, which may be a block of the heap.
    ours.sa_flags = libc::SA_SIGINFO;
    let mut before = MaybeUninit::zeroed();
    let mut mask = MaybeUninit::zeroed();
    // SAFETY: all of it is there to be read or written; the mask was written.
    unsafe {
        libc::sigaction(libc::SIGSEGV, &ours, before.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &only(), mask.as_mut_ptr());
        let blocked = libc::sigismember(mask.as_ptr(), libc::SIGSEGV) == 1;
        BEFORE.blocked.set(blocked);
    }
    BEFORE.action.set(before);
}

/// Leaves everything as it was before [`catch`].
pub fn let_go() {
    let before = BEFORE.action.get();
    // SAFETY: as above.
    unsafe {
        libc::sigaction(libc::SIGSEGV, before.as_ptr(), ptr::null_mut());
        if BEFORE.blocked.get() {
            libc::pthread_sigmask(libc::SIG_BLOCK, &only(), ptr::null_mut());
        }
    }
}

extern "C" fn caught(signal: c_int, about: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes it.
    let address = unsafe { (*about).si_addr() };
    if BEFORE.touch.get().is_some_and(|touch| touch(address)) {
        // The instruction is repeated.
        return;
    }
    // SAFETY: all bytes of it may be 0, and `catch` wrote it.
    let before = unsafe { BEFORE.action.get().assume_init() };
    match before.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // Comes again, and then does what it does.
            // SAFETY: it is there to be read.
            unsafe { libc::sigaction(signal, &before, ptr::null_mut()) };
        }
        // SAFETY: a handler of the program's; one with fewer arguments ignores the others.
        handler => unsafe {
            mem::transmute::<usize, Handler>(handler)(signal, about, context);
        },
    }
}
