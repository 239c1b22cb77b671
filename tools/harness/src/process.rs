// SPDX-License-Identifier: GPL-2.0

//! Creating, ending and configuring processes.

use std::{mem, ptr};

use crate::{
    calls::{checked, errno},
    now, Errno, MSEC,
};

/// Sleeps for some milliseconds.
pub fn pause(ms: u64) {
    pause_ns(ms * MSEC);
}

/// Sleeps for some nanoseconds.
pub fn pause_ns(ns: u64) {
    std::thread::sleep(std::time::Duration::from_nanos(ns));
}

/// Forks a child that runs `work` and exits with its status. It is killed when its
/// parent exits.
pub fn child(work: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the callers have one thread when they call this, or a child that
    // allocates nothing before it exits.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: errno {}", errno()),
        0 => {
            // SAFETY: no memory is involved.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            let status = work();
            // SAFETY: exits the child without running the parent's exit handlers.
            unsafe { libc::_exit(status) }
        }
        pid => pid,
    }
}

/// Sends a signal.
pub fn send(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    checked(unsafe { libc::kill(pid, signal) }.into()).map(|_| ())
}

/// Waits for a child and returns its status.
pub fn reap(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is ours.
    while unsafe { libc::waitpid(pid, &mut status, libc::__WALL) } == -1 && errno() == libc::EINTR {
    }
    status
}

/// The status of a child, if it has exited.
pub fn try_reap(pid: i32) -> Option<i32> {
    let mut status = 0;
    // SAFETY: `status` is ours.
    let done = unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG | libc::__WALL) };
    (done == pid).then_some(status)
}

/// Waits for a child with a timeout: None if it did not exit in time.
pub fn reap_within(pid: i32, ns: u64) -> Option<i32> {
    let limit = now() + ns;
    loop {
        if let Some(status) = try_reap(pid) {
            return Some(status);
        }
        if now() > limit {
            return None;
        }
        pause_ns(MSEC / 5);
    }
}

/// Kills a child and waits until it is gone.
pub fn end(pid: i32) {
    let _ = send(pid, libc::SIGKILL);
    reap(pid);
}

/// Zeroed memory that children share; it is never freed.
pub fn share<T>() -> &'static T {
    // SAFETY: new, zeroed memory, large enough; the callers choose a T of atomics,
    // for which zeroes are valid and sharing is sound.
    unsafe {
        let at = libc::mmap(
            ptr::null_mut(),
            mem::size_of::<T>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        assert!(at != libc::MAP_FAILED, "mmap: errno {}", errno());
        &*at.cast::<T>()
    }
}

/// Makes the calling thread SCHED_FIFO with this priority.
pub fn set_fifo(priority: i32) -> Result<(), Errno> {
    let param = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: `param` is there.
    checked(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &param) }.into()).map(|_| ())
}

/// Pins the calling thread to a processor.
pub fn pin_to(processor: usize) {
    pin_where(|number| number == processor);
}

/// Lets the calling thread run on any processor again.
pub fn unpin() {
    pin_where(|_| true);
}

fn pin_where(fits: impl Fn(usize) -> bool) {
    // Without such a processor the affinity stays as it is.
    let _ = pin_thread_where(0, fits);
}

/// Pins another thread to a processor.
pub fn pin_thread(pid: i32, processor: usize) -> Result<(), Errno> {
    pin_thread_where(pid, |number| number == processor)
}

fn pin_thread_where(pid: i32, fits: impl Fn(usize) -> bool) -> Result<(), Errno> {
    // SAFETY: fills and passes a set of ours.
    let done = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        for processor in (0..64).filter(|&number| fits(number)) {
            libc::CPU_SET(processor, &mut set);
        }
        libc::sched_setaffinity(pid, mem::size_of_val(&set), &set)
    };
    checked(done.into()).map(|_| ())
}
