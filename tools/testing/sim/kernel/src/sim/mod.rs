// SPDX-License-Identifier: GPL-2.0

//! The simulated machine: tasks, time, locks, interrupts, pages and address spaces.
//!
//! All tasks are coroutines on one thread of the host. They are switched between at
//! *points*: every access to an atomic, every lock, every call of the kernel. What happens
//! at a point, the numbers of the seed decide: nothing, mostly; another task runs on; an
//! interrupt or an NMI comes in; time passes. So a run is the same each time.

pub mod context;
pub mod files;
pub mod lock;
pub mod lockdep;
pub mod machine;
pub mod memory;
pub mod process;
pub mod rng;
pub mod rounds;
pub mod scheduler;
pub mod space;
pub mod task;
pub mod trace;

use core::{cell::Cell, fmt};

pub use machine::{Machine, Plan};

thread_local! {
    static MACHINE: Cell<*const Machine> = const { Cell::new(core::ptr::null()) };
    /// Points until the next one at which something happens.
    static FUEL: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// The machine of this thread of the host.
#[inline]
pub fn machine() -> &'static Machine {
    // SAFETY: set by `install`, for a machine that is never freed before it is replaced.
    unsafe { &*MACHINE.get() }
}

/// Makes a machine that of this thread.
pub(crate) fn install(machine: *const Machine) {
    MACHINE.set(machine);
}

pub(crate) fn refuel(points: u32) {
    FUEL.set(points);
}

/// A point: something may happen here.
#[inline(always)]
pub fn point() {
    let fuel = FUEL.get().wrapping_sub(1);
    FUEL.set(fuel);
    if fuel == 0 {
        machine().happening();
    }
}

/// A line of the module's log.
pub fn log(line: fmt::Arguments<'_>) {
    if trace::enabled() {
        trace::line(&format!("log: {}", line.to_string().trim_end()));
    }
}

/// Ends the run: something is wrong.
#[cold]
pub fn fail(what: &str) -> ! {
    trace::failed(what)
}
