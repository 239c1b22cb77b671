// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the heap had, and what it was asked for, written to a file at the end of the
//! process: one line of JSON, for `genpctl record`.

use std::{
    cell::UnsafeCell,
    ffi::{c_char, c_int},
    fmt::{self, Write},
    sync::atomic::{AtomicUsize, Ordering},
};

use genp::Arena;

use crate::{
    count,
    message::{give_up, say, Text},
    serve, sizes,
};

/// Room for a path, with the zero at its end.
const LONGEST: usize = libc::PATH_MAX as usize;
/// Room for the line: 48 kinds of at most 130 bytes, and some numbers.
const LINE: usize = 8 << 10;

struct Path(UnsafeCell<[c_char; LONGEST]>);

// SAFETY: written once, when there is one thread.
unsafe impl Sync for Path {}

/// A copy: a program may write over its environment.
static PATH: Path = Path(UnsafeCell::new([0; LONGEST]));
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// Has it written to this file at the end, and all that it tells counted until then.
/// Context: the only thread there is.
pub fn at_the_end(path: &str) {
    if path.len() >= LONGEST {
        give_up(format_args!("GENP_STATISTICS is too long for a path"));
    }
    for (at, &byte) in path.as_bytes().iter().enumerate() {
        // SAFETY: the only thread there is, within the array, whose last byte stays zero.
        unsafe { (*PATH.0.get())[at] = byte as c_char };
    }
    LENGTH.store(path.len(), Ordering::Relaxed);
    sizes::count();
}

/// The kinds of blocks that there were.
fn kinds(line: &mut Text<LINE>) -> fmt::Result {
    let mut comma = "";
    for (bits, kind) in sizes::ALL.iter().enumerate() {
        let requests = kind.requests();
        if requests > 0 {
            write!(
                line,
                "{comma}{{\"up_to_bytes\":{},\"requests\":{requests},\"live\":{},\"live_peak\":{}}}",
                1u64 << bits,
                kind.live.now(),
                kind.live.most()
            )?;
            comma = ",";
        }
    }
    Ok(())
}

fn write(line: &mut Text<LINE>, arena: &Arena) -> fmt::Result {
    let stat = arena.stat().unwrap_or_default();
    write!(
        line,
        "{{\"reserve_bytes\":{},\"used_bytes\":{},\"taken_peak_bytes\":{},\"largest_free_bytes\":{},\
         \"fragmentation_thousandths\":{},\"cached_blocks\":{},",
        arena.length(),
        stat.used,
        stat.taken_peak,
        stat.largest,
        stat.fragmentation,
        stat.cached_blocks
    )?;
    write!(
        line,
        "\"refused\":{},\"overflowed\":{},\"in_handlers\":{},\"needed_peak_bytes\":{},\
         \"largest_request_bytes\":{},\"classes\":[",
        count::REFUSED.read(),
        count::OVERFLOWED.read(),
        count::IN_HANDLERS.read(),
        sizes::BYTES.most(),
        sizes::largest()
    )?;
    kinds(line)?;
    line.write_str("]}\n")
}

/// Writes it, if that was asked for.
pub fn take() {
    // The program ends: it waits for nobody who would read from a pipe of this name.
    const FLAGS: c_int = libc::O_WRONLY
        | libc::O_CREAT
        | libc::O_TRUNC
        | libc::O_CLOEXEC
        | libc::O_NONBLOCK
        | libc::O_NOCTTY;

    let Some(arena) = serve::heap().filter(|_| LENGTH.load(Ordering::Relaxed) > 0) else {
        return;
    };
    let mut line = Text::<LINE>::new();
    // It does not fail, and has room for all.
    let _ = write(&mut line, arena);
    let bytes = line.bytes();
    // SAFETY: the path ends with zero; the bytes are there.
    let written = unsafe {
        let fd = libc::open(PATH.0.get().cast(), FLAGS, 0o644);
        let written = libc::write(fd, bytes.as_ptr().cast(), bytes.len());
        libc::close(fd);
        written
    };
    if usize::try_from(written) != Ok(bytes.len()) {
        say(format_args!("the statistics cannot be written"));
    }
}
