// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the heap says of itself: to programs, and at the end to people.

use std::{
    ffi::c_int,
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
};

use crate::{count, message::say, serve, snapshot};

/// The process that tells at its end, which its children do not; 0 for none.
static TELLING: AtomicI32 = AtomicI32::new(0);
/// Whether it tells people, too.
static REPORTING: AtomicBool = AtomicBool::new(false);

/// Lets this process take a snapshot at its end, if somebody wants that, and report.
pub fn at_the_end(reporting: bool) {
    // SAFETY: has no precondition.
    TELLING.store(unsafe { libc::getpid() }, Ordering::Relaxed);
    REPORTING.store(reporting, Ordering::Relaxed);
}

/// Bytes of the heap, and those in use.
fn bytes() -> (usize, usize) {
    serve::heap().map_or((0, 0), |arena| (arena.length(), arena.used().unwrap_or(0)))
}

fn report() {
    let (length, used) = bytes();
    say(format_args!(
        "{length} bytes of reserve, {used} in use; {} requests refused, {} served by libc, {} in handlers",
        count::REFUSED.read(),
        count::OVERFLOWED.read(),
        count::IN_HANDLERS.read()
    ));
}

extern "C" fn end() {
    // SAFETY: has no precondition.
    if TELLING.load(Ordering::Relaxed) != unsafe { libc::getpid() } {
        return;
    }
    snapshot::take();
    if REPORTING.load(Ordering::Relaxed) {
        report();
    }
}

#[used]
#[link_section = ".fini_array"]
static END: extern "C" fn() = end;

/// The C library's struct mallinfo2 and, with `int`, struct mallinfo.
#[repr(C)]
#[derive(Default)]
pub struct Mallinfo<T> {
    arena: T,
    ordblks: T,
    smblks: T,
    hblks: T,
    hblkhd: T,
    usmblks: T,
    fsmblks: T,
    uordblks: T,
    fordblks: T,
    keepcost: T,
}

#[no_mangle]
pub extern "C" fn mallinfo2() -> Mallinfo<usize> {
    let (length, used) = bytes();
    Mallinfo {
        arena: length,
        uordblks: used,
        fordblks: length.saturating_sub(used),
        ..Default::default()
    }
}

#[no_mangle]
pub extern "C" fn mallinfo() -> Mallinfo<c_int> {
    let fit = |bytes: usize| c_int::try_from(bytes).unwrap_or(c_int::MAX);
    let (length, used) = bytes();
    Mallinfo {
        arena: fit(length),
        uordblks: fit(used),
        fordblks: fit(length.saturating_sub(used)),
        ..Default::default()
    }
}

#[no_mangle]
pub extern "C" fn malloc_stats() {
    report();
}
