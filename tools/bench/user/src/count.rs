// SPDX-License-Identifier: GPL-2.0

//! Counts the system calls of a child between two marks.

use harness::process::reap;

use crate::stage::MARK;

/// `PTRACE_SYSCALL_INFO_ENTRY` of the kernel.
const ENTRY: u8 = 1;

/// The beginning of the kernel's `struct ptrace_syscall_info`.
#[repr(C)]
#[derive(Default)]
struct Info {
    op: u8,
    pad: [u8; 3],
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    number: u64,
}

/// Lets the parent trace the calling process from here on.
pub fn offer() {
    // SAFETY: no memory is involved.
    unsafe {
        libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
        libc::raise(libc::SIGSTOP);
    }
}

/// The number of the system call that a stopped child enters, if it does.
fn begun(pid: i32) -> Option<i64> {
    let mut info = Info::default();
    // SAFETY: the kernel writes at most the given size.
    let had = unsafe {
        libc::ptrace(
            libc::PTRACE_GET_SYSCALL_INFO,
            pid,
            size_of::<Info>(),
            &mut info,
        )
    };
    (had > 0 && info.op == ENTRY).then_some(info.number as i64)
}

/// The system calls of a child that called [`offer`], between the first and the
/// second [`MARK`]: None if it did not finish.
pub fn system_calls(pid: i32) -> Option<u64> {
    let mut status = reap(pid);
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
    // SAFETY: no memory of ours is involved.
    unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, 0, options) };
    let (mut marks, mut calls) = (0, 0);
    while libc::WIFSTOPPED(status) {
        let signal = match libc::WSTOPSIG(status) {
            signal if signal == libc::SIGTRAP | 0x80 => {
                match begun(pid) {
                    Some(number) if number == MARK => marks += 1,
                    Some(_) => calls += u64::from(marks == 1),
                    None => {}
                }
                0
            }
            libc::SIGSTOP => 0,
            signal => signal,
        };
        // SAFETY: no memory of ours is involved.
        unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid, 0, signal) };
        status = reap(pid);
    }
    (status == 0 && marks == 2).then_some(calls)
}
