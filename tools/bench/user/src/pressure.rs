// SPDX-License-Identifier: GPL-2.0

//! Pressure: a machine whose memory is used up and whose processors are busy.

use std::{
    fs, ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use harness::{
    machine, now,
    process::{child, end, pause, pause_ns, pin_to, reap, set_fifo, share},
    MSEC,
};

/// SCHED_FIFO priorities: of the measuring process, and of the hogs below it.
pub const MEASURING: i32 = 50;
const HOG: i32 = 40;

/// Memory that is left free: percent of all memory, and a limit in bytes, fewer than the
/// load needs on any machine.
const LEFT: u64 = 5;
const LEFT_MOST: u64 = 8 << 20;
/// Bytes allocated at a time.
const BITE: usize = 64 << 10;

/// The state of the memory eater.
struct EaterState {
    /// Set when all memory is used up.
    full: AtomicU32,
    /// Eaters that the OOM killer killed.
    killed: AtomicU32,
}

/// Settings for real-time programs: no throttling, and kernel messages go to the log
/// only, because the console takes
/// a second for the report of a killed process.
const SETTINGS: [(&str, &str); 2] = [
    ("/proc/sys/kernel/sched_rt_runtime_us", "-1"),
    ("/proc/sys/kernel/printk", "1"),
];

/// The pressure, until it is dropped.
pub struct Pressure {
    eater: i32,
    hogs: Vec<i32>,
    state: &'static EaterState,
    /// The previous settings.
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

/// Allocates and dirties memory until little is left, and whatever is freed after that;
/// keeps releasing and allocating some of it.
fn eat(state: &EaterState) -> i32 {
    // The first victim of the OOM killer.
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
        // SAFETY: within our own mapping.
        unsafe {
            let bite = start.cast::<u8>().add(*at);
            if !hungry {
                libc::madvise(bite.cast(), BITE, libc::MADV_DONTNEED);
            }
            bite.write_bytes(0xa5, BITE);
        }
        *at += BITE;
        if !hungry {
            // Release: pairs with the load in `Pressure::begin`.
            state.full.store(1, Ordering::Release);
            if again + BITE > eaten {
                again = 0;
            }
        }
    }
}

/// Makes the calling process SCHED_OTHER, whatever its parent is.
fn be_normal() {
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is there.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &param) };
}

/// Sets how likely the OOM killer chooses a process: -1000 for never.
fn set_oom_score(process: &str, score: i32) {
    let _ = fs::write(format!("/proc/{process}/oom_score_adj"), score.to_string());
}

/// Protects this process, its children, and its parent shell from the OOM killer: a
/// killed measurement has no result.
pub fn be_spared() {
    set_oom_score("self", -1000);
    // SAFETY: no memory is involved.
    set_oom_score(&unsafe { libc::getppid() }.to_string(), -1000);
}

/// Runs an eater, and a new one whenever it is killed.
fn feed(state: &EaterState) -> i32 {
    be_normal();
    // The OOM killer needs a victim while there is no eater.
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
    /// Starts the pressure and returns when memory is used up.
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

    /// The number of eaters that the OOM killer killed.
    pub fn killed(&self) -> u32 {
        self.state.killed.load(Ordering::Relaxed)
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        for &pid in self.hogs.iter().chain([&self.eater]) {
            // The eater exits with its parent.
            end(pid);
        }
        for ((path, _), before) in SETTINGS.iter().zip(&self.before) {
            if let Some(before) = before {
                let _ = fs::write(path, before);
            }
        }
    }
}
