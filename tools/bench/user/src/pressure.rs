// SPDX-License-Identifier: GPL-2.0

//! A machine whose memory is used up and whose processors are kept busy.

use std::{
    fs, ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use harness::{
    machine, now,
    process::{child, end, pause, pause_ns, pin_to, reap, set_fifo, share},
    MSEC,
};

/// Priorities of SCHED_FIFO: of who measures, and of the hogs below it.
pub const MEASURING: i32 = 50;
const HOG: i32 = 40;

/// What is left free: percent of the machine's memory, and bytes at most, fewer than
/// the load has use for on any machine.
const LEFT: u64 = 5;
const LEFT_MOST: u64 = 8 << 20;
/// Bytes that are eaten at a time.
const BITE: usize = 64 << 10;

/// What the children say.
struct EaterState {
    /// The eater has nothing left to eat.
    full: AtomicU32,
    /// Eaters that were killed for want of memory.
    killed: AtomicU32,
}

/// Settings of who runs real-time programs: the scheduler takes nothing from them
/// for others, and the kernel's messages go to its log, not to a console that takes
/// a second for what it says of a killed process.
const SETTINGS: [(&str, &str); 2] = [
    ("/proc/sys/kernel/sched_rt_runtime_us", "-1"),
    ("/proc/sys/kernel/printk", "1"),
];

/// The pressure, until it is dropped.
pub struct Pressure {
    eater: i32,
    hogs: Vec<i32>,
    state: &'static EaterState,
    /// What the settings were.
    before: [Option<String>; 2],
}

fn memory() -> (u64, u64) {
    // SAFETY: fills a structure of ours.
    let info = unsafe {
        let mut info: libc::sysinfo = std::mem::zeroed();
        libc::sysinfo(&mut info);
        info
    };
    let unit = u64::from(info.mem_unit);
    (info.totalram * unit, info.freeram * unit)
}

/// Takes and dirties memory until little is left, and whatever becomes free after
/// that; gives some back and takes it again all the time.
fn eat(state: &EaterState) -> i32 {
    // The first to go when there is none.
    set_oom_score("self", 1000);
    let (total, _) = memory();
    // SAFETY: a new mapping where the kernel likes, as large as all memory.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            total as usize,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return 1;
    }
    let left = (total / 100 * LEFT).min(LEFT_MOST);
    let (mut eaten, mut again) = (0, 0);
    loop {
        let hungry = memory().1 > left && eaten + BITE <= total as usize;
        let at = if hungry { &mut eaten } else { &mut again };
        // SAFETY: within the mapping, which is nobody else's.
        unsafe {
            let bite = start.cast::<u8>().add(*at);
            if !hungry {
                libc::madvise(bite.cast(), BITE, libc::MADV_DONTNEED);
            }
            bite.write_bytes(0xa5, BITE);
        }
        *at += BITE;
        if !hungry {
            // Release: what was eaten is eaten. Pairs with `Pressure::begin`.
            state.full.store(1, Ordering::Release);
            if again + BITE > eaten {
                again = 0;
            }
        }
    }
}

/// Makes the calling process one like any other, whatever its parent is.
fn be_normal() {
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is there.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &param) };
}

/// Says how likely a process is killed when memory is gone: -1000 for never.
fn set_oom_score(process: &str, score: i32) {
    let _ = fs::write(format!("/proc/{process}/oom_score_adj"), score.to_string());
}

/// Has the killer spare this process, those it makes, and the shell it is called from:
/// a measurement that ends says nothing.
pub fn be_spared() {
    set_oom_score("self", -1000);
    // SAFETY: no memory is involved.
    set_oom_score(&unsafe { libc::getppid() }.to_string(), -1000);
}

/// Has an eater be there, a new one when one was killed.
fn feed(state: &EaterState) -> i32 {
    be_normal();
    // Somebody must be there to be killed while no eater is.
    set_oom_score("self", 0);
    loop {
        reap(child(|| eat(state)));
        state.killed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs nine milliseconds of ten.
fn hog(processor: usize) -> i32 {
    pin_to(processor);
    if set_fifo(HOG).is_err() {
        return 1;
    }
    loop {
        let until = now() + 9 * MSEC;
        while now() < until {}
        pause_ns(MSEC);
    }
}

impl Pressure {
    /// Begins, and comes back when there is no memory left.
    pub fn begin() -> Self {
        let before = SETTINGS.map(|(path, value)| {
            let before = fs::read_to_string(path).ok()?;
            fs::write(path, value).ok()?;
            Some(before)
        });
        let state: &EaterState = share();
        let eater = child(|| feed(state));
        // Acquire: pairs with `eat`.
        while state.full.load(Ordering::Acquire) == 0 {
            pause(10);
        }
        let hogs = (0..machine::processors())
            .map(|processor| child(|| hog(processor)))
            .collect();
        Self {
            eater,
            hogs,
            state,
            before,
        }
    }

    /// Eaters that were killed for want of memory until now.
    pub fn killed(&self) -> u32 {
        self.state.killed.load(Ordering::Relaxed)
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        for &pid in self.hogs.iter().chain([&self.eater]) {
            // The eater itself ends with who feeds it.
            end(pid);
        }
        for ((path, _), before) in SETTINGS.iter().zip(&self.before) {
            if let Some(before) = before {
                let _ = fs::write(path, before);
            }
        }
    }
}
