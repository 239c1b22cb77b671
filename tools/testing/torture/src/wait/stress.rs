// SPDX-License-Identifier: GPL-2.0

//! Stress on the machine: busy processors, memory that is used up, a clock that jumps,
//! processes that are stopped.

use std::{ffi::CString, fs, mem, path::Path, ptr};

use harness::{calls::checked, machine, now, page_bytes, process, rng::Rng, MSEC, SEC};

/// The share of the time that a hog keeps its processor busy. The rest lets the machine
/// work, and avoids the kernel's throttling at 95 %.
#[derive(Clone, Copy, Debug)]
pub struct Duty {
    /// Nanoseconds busy.
    pub busy_ns: u64,
    /// Nanoseconds of sleep after that.
    pub idle_ns: u64,
}

impl Duty {
    /// Four fifths of the time, in short periods.
    pub const STEADY: Self = Self {
        busy_ns: 40 * MSEC,
        idle_ns: 10 * MSEC,
    };
    /// Busy for longer than the kernel lets ordinary tasks starve: now and then it takes
    /// the processor away from real-time tasks.
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

/// Bytes allocated and released at a time.
const PIECE: u64 = 1 << 20;

/// Releases a piece of memory, or touches all of it.
fn piece(at: usize, index: u64, keep: bool) {
    let begin = at + (index * PIECE) as usize;
    if !keep {
        // SAFETY: a part of the process' own mapping.
        unsafe { libc::madvise(begin as *mut _, PIECE as usize, libc::MADV_DONTNEED) };
        return;
    }
    for page in 0..(PIECE / page_bytes()) as usize {
        // SAFETY: as above; nobody else reads it.
        unsafe {
            ptr::write_volatile(
                (begin + page * page_bytes() as usize) as *mut u64,
                page as u64,
            )
        };
    }
}

/// Uses up all memory but a twentieth, or a tenth if it is shared with stress-ng, and
/// then keeps releasing and touching pieces of it.
fn eat(mut rng: Rng, shares: bool) -> i32 {
    // If it is too much after all, the OOM killer chooses this process.
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

/// The distribution's stress-ng, if the guest has it.
const STRESS_NG: &str = "/bin/stress-ng";

/// Executes stress-ng, which maps, writes and reads back a twentieth of all memory. Its
/// children exit with it. Its output is dropped: it warns of a clock that jumps, which
/// must not be taken for a warning of the kernel.
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
    // SAFETY: strings that end with zero, in a list that ends with null.
    unsafe {
        let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for fd in 0..3 {
            libc::dup2(nowhere, fd);
        }
        libc::execv(list[0], list.as_ptr());
    }
    1
}

/// Sets CLOCK_REALTIME if `to` is given; returns it in nanoseconds.
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

/// Sets the clock forwards and backwards, by nanoseconds up to years.
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

/// Stops and continues processes, for up to twice the longest term.
fn suspend(victims: &[i32], max_lease_ns: u64, mut rng: Rng) -> i32 {
    loop {
        process::pause_ns(rng.below(20 * MSEC));
        let victim = rng.pick(victims);
        let _ = process::send(victim, libc::SIGSTOP);
        // Short stops are more frequent than long ones.
        let log = rng.below(u64::from(max_lease_ns.max(2).ilog2()) + 2);
        process::pause_ns(rng.below(1 << log));
        let _ = process::send(victim, libc::SIGCONT);
    }
}

/// The kinds of stress of a phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The priority and the duty of a hog on each processor.
    pub hogs: Option<(i32, Duty)>,
    /// Whether memory is used up.
    pub eats: bool,
    /// Whether stress-ng uses a part of it, if the guest has stress-ng.
    pub shares: bool,
    /// Whether the clock jumps.
    pub jumps: bool,
    /// Whether borrowers are stopped.
    pub suspends: bool,
}

/// The running stress, which ends when dropped.
pub struct Stress {
    pids: Vec<i32>,
    /// CLOCK_REALTIME minus CLOCK_MONOTONIC before the clock jumped.
    ahead: u64,
}

impl Stress {
    /// Starts the stress of a plan.
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
        // SIGTERM first: a process with children ends them.
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
