// SPDX-License-Identifier: GPL-2.0

//! Single-steps a victim and kills it at a stop.

use harness::process;

/// Continues a child that calls [`offer`] until its system calls have begun or ended
/// `stops` times, then for `single` instructions, and kills it there. False if it exited
/// before.
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

/// Continues a child and delivers the signal that stopped it, unless a tracer caused it.
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

/// Lets the parent trace the calling process from here on.
pub fn offer() {
    // SAFETY: no memory is involved.
    unsafe {
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
        libc::raise(libc::SIGSTOP);
    }
}
