// SPDX-License-Identifier: GPL-2.0

//! How late a thread of SCHED_FIFO 80 wakes up while a lease of another process runs out:
//! by pages, by mappings of the window, and by whether somebody waits for the frames.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use harness::{
    abi, calls, machine, now,
    owned::{self, Mapped},
    process, MSEC, PAGE, SEC,
};
use stats::{meter::Machine, Figure, Meter};

use crate::{
    priority::{CONTROLLER, WAITER},
    waiter::Result,
};

/// Between two wake-ups of a sleeper.
const PERIOD: u64 = 100_000;
/// Pages and mappings.
const SETTINGS: [(u64, usize); 3] = [(16384, 1), (16384, 16), (256, 16)];
/// Most processors.
const MOST: usize = 64;

/// Rounds of a setting. Counts of instructions repeat.
fn rounds(meter: &Meter) -> usize {
    match meter.machine() {
        Machine::Icount => 2,
        _ => 20,
    }
}

/// What the processes share.
struct Shared {
    /// Whether the sleepers note how late they are.
    noting: AtomicBool,
    /// The longest of each, in nanoseconds.
    longest: [AtomicU64; MOST],
    /// When the waiter had the frames.
    served: AtomicU64,
}

fn named(what: &str) -> impl Fn(i32) -> String + '_ {
    move |errno| format!("{what}: {}", calls::errno_name(errno))
}

fn sleep_until(time: u64) {
    let until = libc::timespec {
        tv_sec: (time / SEC) as _,
        tv_nsec: (time % SEC) as _,
    };
    // SAFETY: reads a time of ours.
    unsafe {
        libc::clock_nanosleep(
            libc::CLOCK_MONOTONIC,
            libc::TIMER_ABSTIME,
            &until,
            std::ptr::null_mut(),
        )
    };
}

/// Sleeps again and again on one processor.
fn sleeper(processor: usize, shared: &Shared) -> i32 {
    process::pin_to(processor);
    if process::set_fifo(CONTROLLER).is_err() {
        return 1;
    }
    let mut next = now() + PERIOD;
    loop {
        sleep_until(next);
        let late = now().saturating_sub(next);
        if shared.noting.load(SeqCst) {
            shared.longest[processor].fetch_max(late, SeqCst);
        }
        next = now() + PERIOD;
    }
}

/// Waits for the budget that the lease has.
fn wait_for_lease(fd: i32, shared: &Shared) -> i32 {
    if process::set_fifo(WAITER).is_err() {
        return 1;
    }
    // Until the partition may cause that much work again.
    let lease = loop {
        match calls::borrow(fd, PAGE, now() + 10 * SEC, 0) {
            Err(libc::EAGAIN) => process::pause(10),
            other => break other,
        }
    };
    shared.served.store(now(), SeqCst);
    i32::from(
        lease
            .and_then(|lease| calls::give_back(fd, lease.handle))
            .is_err(),
    )
}

/// One lease that runs out: how late a sleeper was at most, and how late after the deadline
/// the waiter had what it waited for.
fn round(setting: (u64, usize), waits: bool, shared: &'static Shared) -> Result<(u64, u64)> {
    let (pages, mappings) = setting;
    let control = owned::control().map_err(named("/dev/genp"))?;
    let mut request = calls::create_request(0, pages * PAGE);
    request.max_leases = 2;
    if mappings > 1 {
        request.flags = abi::GENP_CREATE_MULTIMAP;
    }
    let created = owned::create(&control, request).or_else(|_| {
        // Of before there was the flag.
        request.flags = 0;
        owned::create(&control, request)
    });
    let (fd, windows) = created.map_err(named("GENP_CREATE"))?;
    let map = || {
        let length = windows.lease_length as usize;
        Mapped::new(length, libc::MAP_SHARED, fd.0, windows.lease_offset)
    };
    let _windows = (0..mappings)
        .map(|_| map().map_err(named("mmap")))
        .collect::<Result<Vec<_>>>()?;
    let lease = calls::borrow(fd.0, pages * PAGE, 0, 800 * MSEC).map_err(named("GENP_BORROW"))?;
    let waiter = waits.then(|| process::child(|| wait_for_lease(fd.0, shared)));
    sleep_until(lease.expires - 20 * MSEC);
    for longest in &shared.longest {
        longest.store(0, SeqCst);
    }
    shared.noting.store(true, SeqCst);
    sleep_until(lease.expires + 400 * MSEC);
    shared.noting.store(false, SeqCst);
    if waiter.is_some_and(|pid| process::reap(pid) != 0) {
        return Err("the waiter failed".into());
    }
    let ended = calls::stat(fd.0)
        .map_err(named("GENP_GET_STAT"))?
        .revocations;
    if ended != 1 {
        return Err("the lease did not end".into());
    }
    let longest = shared.longest.iter().map(|longest| longest.load(SeqCst));
    let served = shared.served.load(SeqCst).saturating_sub(lease.expires);
    Ok((longest.max().unwrap_or(0), served))
}

fn print(meter: &Meter, case: &str, (pages, mappings): (u64, usize), waits: bool, ns: Vec<u64>) {
    let state = if waits { "waited for" } else { "nobody waits" };
    Figure::new(meter, "wakeup", case, "genp")
        .with("state", state)
        .with("pages", pages)
        .with("mappings", mappings)
        .spread(ns)
        .print();
}

/// Measures all settings.
pub fn measure(meter: &Meter) -> Result<()> {
    let shared = process::share::<Shared>();
    let processors = machine::processors().min(MOST);
    let sleepers: Vec<i32> = (0..processors)
        .map(|processor| process::child(|| sleeper(processor, shared)))
        .collect();
    for waits in [false, true] {
        for setting in SETTINGS {
            let (mut late, mut served) = (Vec::new(), Vec::new());
            for _ in 0..rounds(meter) {
                let (longest, after) = round(setting, waits, shared)?;
                late.push(longest);
                served.push(after);
            }
            print(meter, "wakeup", setting, waits, late);
            if waits {
                print(meter, "served", setting, waits, served);
            }
        }
    }
    for pid in sleepers {
        process::end(pid);
    }
    Ok(())
}
