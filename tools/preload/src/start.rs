// SPDX-License-Identifier: MIT OR Apache-2.0

//! The start: before any other code of the program, by the flag DF_1_INITFIRST.

use std::{
    cell::UnsafeCell,
    ffi::{c_char, c_int},
    io,
    mem::MaybeUninit,
    os::fd::{FromRawFd, OwnedFd},
};

use genp::{
    abi::{self, genp_create},
    system::page_size,
    Arena, Descriptor,
};

use crate::{
    environment::Environment,
    fork,
    message::give_up,
    next, report, serve,
    settings::{Exec, Full, Settings},
    snapshot,
};

/// What this library is called, as it is installed and as it is built.
const NAMES: [&str; 2] = ["libgenp-preload.so", "libgenp_preload.so"];
/// Its variables, but the descriptor.
const VARIABLES: [&str; 6] = [
    "GENP_RESERVE",
    "GENP_BORROW",
    "GENP_FULL",
    "GENP_FORK",
    "GENP_EXEC",
    "GENP_REPORT",
];

#[used]
#[link_section = ".init_array"]
static START: extern "C" fn(c_int, *const *const c_char, *mut *mut c_char) = start;

struct Place(UnsafeCell<MaybeUninit<Arena>>);

// SAFETY: written once, when there is one thread.
unsafe impl Sync for Place {}

static ARENA: Place = Place(UnsafeCell::new(MaybeUninit::uninit()));

extern "C" {
    /// The C library's, which it has not set yet.
    static mut environ: *mut *mut c_char;
}

extern "C" fn start(
    _count: c_int,
    _arguments: *const *const c_char,
    environment: *mut *mut c_char,
) {
    if serve::started() {
        return;
    }
    next::find();
    // For what libgenp reads there; the C library sets it to the same.
    // SAFETY: there is one thread, and nobody has used it.
    unsafe { environ = environment };
    // SAFETY: the third argument of a constructor.
    let environment = unsafe { Environment::new(environment) };
    let settings = Settings::read(&environment);
    let wanted = settings.fd.is_some() || settings.reserve > 0;
    let arena = match wanted.then(|| arena(&settings)) {
        None => None,
        Some(Ok(arena)) => Some(arena),
        Some(Err(_)) if settings.exec == Exec::Try && settings.fd.is_none() => None,
        Some(Err(error)) => give_up(format_args!("no partition for this program: {error}")),
    };
    if arena.is_some() && !fork::install(settings.fork) {
        give_up(format_args!("no memory for a fork handler"));
    }
    if arena.is_some() {
        report::at_the_end(settings.report);
        if let Some(path) = environment.value("GENP_STATISTICS") {
            snapshot::at_the_end(path);
        }
    }
    // They are of this program alone.
    environment.remove("GENP_FD");
    environment.remove("GENP_STATISTICS");
    if wanted && settings.exec == Exec::Plain {
        VARIABLES.map(|name| environment.remove(name));
        environment.remove_preload(&NAMES);
    }
    serve::start(arena, settings.full == Full::Overflow);
}

/// The heap, in the partition that is there or in a new one. Nothing but the mapping is
/// left of it: no descriptor that the program could close or take for one of its own.
fn arena(settings: &Settings) -> io::Result<&'static Arena> {
    let part = match settings.fd {
        // SAFETY: a descriptor that was given to this library. If it is not open, its use
        // is an error.
        Some(fd) => Descriptor::from(unsafe { OwnedFd::from_raw_fd(fd) }),
        None => Descriptor::create(request(settings)?)?,
    };
    let arena = Arena::of(&part)?;
    // SAFETY: this function runs once, in the only thread there is.
    Ok(unsafe { (*ARENA.0.get()).write(arena) })
}

fn request(settings: &Settings) -> io::Result<genp_create> {
    let pages = |bytes: u64| {
        bytes
            .checked_next_multiple_of(page_size() as u64)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::E2BIG))
    };
    Ok(genp_create {
        reserve: pages(settings.reserve)?,
        borrow_limit: pages(settings.borrow)?,
        node: abi::GENP_ANY_NODE,
        ..Default::default()
    })
}
