// SPDX-License-Identifier: GPL-2.0

//! What makes it hard for the machine: processors that are kept busy, memory that is
//! used up, a clock that jumps, processes that are stopped.

use std::{ffi::CString, fs, mem, path::Path, ptr};

use harness::{calls::checked, machine, now, process, rng::Rng, MSEC, PAGE, SEC};

/// How much of the time a hog has its processor. The rest is there for the machine to
/// live, and for the kernel not to throttle, which it does at 95 %.
#[derive(Clone, Copy, Debug)]
pub struct Duty {
    /// Nanoseconds busy.
    pub busy_ns: u64,
    /// Nanoseconds asleep after that.
    pub idle_ns: u64,
}

impl Duty {
    /// Four fifths of the time, in short pieces.
    pub const STEADY: Self = Self {
        busy_ns: 40 * MSEC,
        idle_ns: 10 * MSEC,
    };
    /// All of the time, for longer than ordinary tasks are left without: the kernel
    /// takes the processor away from real-time tasks then, now and then.
    pub const RELENTLESS: Self = Self {
        busy_ns: SEC + SEC / 5,
        idle_ns: 150 * MSEC,
    };
}

/// Keeps a processor busy with this priority, until it is killed or `until`.
fn hog(processor: usize, priority: i32, duty: Duty, until: u64) -> i32 {
    process::pin_to(processor);
    if process::set_fifo(priority).is_err() {
        return 1;
    }
    while now() < until {
        let enough = (now() + duty.busy_ns).min(until);
        while now() < enough {
            std::hint::spin_loop();
        }
        process::pause_ns(duty.idle_ns);
    }
    0
}

/// A line of /proc/meminfo, in bytes.
fn meminfo(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let word = line.and_then(|line| line.split_whitespace().nth(1));
    word.and_then(|word| word.parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// Bytes taken and let go at a time.
const PIECE: u64 = 1 << 20;

/// Gives a piece of memory back, or touches all of it.
fn piece(at: usize, index: u64, keep: bool) {
    let begin = at + (index * PIECE) as usize;
    if !keep {
        // SAFETY: a part of the eater's own mapping.
        unsafe { libc::madvise(begin as *mut _, PIECE as usize, libc::MADV_DONTNEED) };
        return;
    }
    for page in 0..(PIECE / PAGE) as usize {
        // SAFETY: as above; nobody else reads it.
        unsafe { ptr::write_volatile((begin + page * PAGE as usize) as *mut u64, page as u64) };
    }
}

/// Uses up all memory but a twentieth, and as much again if somebody else is to have
/// that, and goes on taking and letting go there.
fn eat(mut rng: Rng, shares: bool) -> i32 {
    // Should it be too much after all, it is the one to go.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let total = meminfo("MemTotal:");
    let most = if shares { total / 10 } else { total / 20 };
    let pieces = total / PIECE;
    // SAFETY: a new mapping.
    let at = unsafe {
        libc::mmap(
            ptr::null_mut(),
            (pieces * PIECE) as usize,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if at == libc::MAP_FAILED {
        return 1;
    }
    let (at, mut eaten) = (at as usize, 0);
    loop {
        let left = meminfo("MemAvailable:");
        if left < most - total / 100 && eaten > 0 {
            eaten -= 1;
            piece(at, eaten, false);
        } else if left > most + PIECE && eaten < pieces {
            piece(at, eaten, true);
            eaten += 1;
        } else {
            let index = rng.below(eaten);
            piece(at, index, false);
            piece(at, index, true);
        }
    }
}

/// The distribution's stress-ng, where the guest has it.
const STRESS_NG: &str = "/bin/stress-ng";

/// Becomes stress-ng, with a twentieth of all memory that it maps, writes and reads
/// back. Its children end with it. It warns of a clock that jumps, which nobody is to
/// take for a warning of the kernel's.
fn become_stress_ng(seconds: u64) -> i32 {
    let timeout = seconds.to_string();
    let words = [
        STRESS_NG,
        "--quiet",
        "--oom-avoid",
        "--temp-path",
        "/tmp",
        "--vm",
        "1",
        "--vm-bytes",
        "4%",
        "--timeout",
        &timeout,
    ];
    let words: Vec<_> = words
        .iter()
        .filter_map(|word| CString::new(*word).ok())
        .collect();
    let mut list: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    list.push(ptr::null());
    // SAFETY: strings that end with zero, and a list of them that ends with null.
    unsafe {
        let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for fd in 0..3 {
            libc::dup2(nowhere, fd);
        }
        libc::execv(list[0], list.as_ptr());
    }
    1
}

/// The clock of the day, in nanoseconds, or sets it.
fn clock(to: Option<u64>) -> u64 {
    // SAFETY: the structure is ours.
    unsafe {
        let mut time: libc::timespec = mem::zeroed();
        if let Some(ns) = to {
            time.tv_sec = (ns / SEC) as libc::time_t;
            time.tv_nsec = (ns % SEC) as libc::c_long;
            let _ = checked(libc::clock_settime(libc::CLOCK_REALTIME, &time).into());
        }
        libc::clock_gettime(libc::CLOCK_REALTIME, &mut time);
        time.tv_sec as u64 * SEC + time.tv_nsec as u64
    }
}

/// Lets the clock jump to and fro, by nanoseconds up to years.
fn jump(mut rng: Rng) -> i32 {
    let begin = clock(None).max(SEC << 30);
    loop {
        let log = 20 + rng.below(38);
        let far = rng.below(1 << log);
        let to = match rng.one_in(2) {
            true => begin.saturating_add(far),
            false => begin.saturating_sub(far),
        };
        clock(Some(to.max(SEC)));
        process::pause_ns(1 + rng.below(20 * MSEC));
    }
}

/// Stops and continues processes, for up to twice as long as a lease can be.
fn suspend(victims: &[i32], max_lease_ns: u64, mut rng: Rng) -> i32 {
    loop {
        process::pause_ns(rng.below(20 * MSEC));
        let victim = rng.pick(victims);
        let _ = process::send(victim, libc::SIGSTOP);
        // More often short than long.
        let log = rng.below(u64::from(max_lease_ns.max(2).ilog2()) + 2);
        process::pause_ns(rng.below(1 << log));
        let _ = process::send(victim, libc::SIGCONT);
    }
}

/// What is to be hard in a phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The priority of a hog on each processor, and its duty.
    pub hogs: Option<(i32, Duty)>,
    /// Whether memory is used up.
    pub eats: bool,
    /// Whether stress-ng has a part of it, if there is such a program.
    pub shares: bool,
    /// Whether the clock jumps.
    pub jumps: bool,
    /// Whether borrowers are stopped.
    pub suspends: bool,
}

/// What is going on now; it ends with this.
pub struct Stress {
    pids: Vec<i32>,
    /// By how much the clock of the day is ahead of the one that never jumps.
    ahead: u64,
}

impl Stress {
    /// Begins.
    pub fn new(plan: &Plan, until: u64, victims: &[i32], max_lease_ns: u64, rng: &mut Rng) -> Self {
        let mut pids = Vec::new();
        let ahead = clock(None).saturating_sub(now());
        let mut own = || Rng::new(rng.draw());
        if plan.eats {
            let shares = plan.shares && Path::new(STRESS_NG).exists();
            let rng = own();
            pids.push(process::child(|| eat(rng, shares)));
            if shares {
                let seconds = until.saturating_sub(now()).div_ceil(SEC);
                pids.push(process::child(|| become_stress_ng(seconds)));
            }
        }
        if plan.jumps {
            let rng = own();
            pids.push(process::child(|| jump(rng)));
        }
        if plan.suspends {
            let rng = own();
            pids.push(process::child(|| suspend(victims, max_lease_ns, rng)));
        }
        if let Some((priority, duty)) = plan.hogs {
            for processor in 0..machine::processors() {
                pids.push(process::child(|| hog(processor, priority, duty, until)));
            }
        }
        Self { pids, ahead }
    }
}

impl Drop for Stress {
    fn drop(&mut self) {
        // Asked first: what has children of its own ends them.
        for pid in &self.pids {
            let _ = process::send(*pid, libc::SIGTERM);
        }
        for pid in &self.pids {
            if process::reap_within(*pid, 5 * SEC).is_none() {
                process::end(*pid);
            }
        }
        clock(Some(now().saturating_add(self.ahead)));
    }
}
