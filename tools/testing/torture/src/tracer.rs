// SPDX-License-Identifier: GPL-2.0

//! Takes a victim from stop to stop, and kills it at one.

use harness::process;

/// Lets a child that calls [`offer`] go on until its system calls have begun or
/// ended `stops` times, then for `single` instructions, and kills it there. False
/// if it lived to its end before.
pub fn kill_at(pid: i32, stops: u32, single: u32) -> bool {
    let mut status = process::reap(pid);
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
    // SAFETY: no memory of ours is involved.
    unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, 0, options) };
    for _ in 0..stops {
        status = go_on(pid, libc::PTRACE_SYSCALL, status);
        if !libc::WIFSTOPPED(status) {
            return false;
        }
    }
    for _ in 0..single {
        status = go_on(pid, libc::PTRACE_SINGLESTEP, status);
        if !libc::WIFSTOPPED(status) {
            return false;
        }
    }
    process::end(pid);
    true
}

/// Lets it go on, with the signal it was stopped by, if it was one of its own.
fn go_on(pid: i32, how: libc::c_uint, status: i32) -> i32 {
    let signal = match libc::WSTOPSIG(status) {
        signal if signal & 0x80 != 0 => 0,
        libc::SIGTRAP | libc::SIGSTOP => 0,
        signal => signal,
    };
    // SAFETY: no memory of ours is involved.
    unsafe { libc::ptrace(how, pid, 0, signal) };
    process::reap(pid)
}

/// Has the parent trace us, from here on.
pub fn offer() {
    // SAFETY: no memory is involved.
    unsafe {
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
        libc::raise(libc::SIGSTOP);
    }
}
