// SPDX-License-Identifier: GPL-2.0

//! Numbers through pipes.

use harness::calls::errno;

/// Writes a number; false if the read end is closed.
pub fn put(fd: i32, number: u32) -> bool {
    let bytes = number.to_ne_bytes();
    // SAFETY: `bytes` has four of them.
    unsafe { libc::write(fd, bytes.as_ptr().cast(), 4) == 4 }
}

/// Reads a number; None if the write end is closed.
pub fn take(fd: i32) -> Option<u32> {
    let mut bytes = [0u8; 4];
    loop {
        // SAFETY: `bytes` has room for four.
        match unsafe { libc::read(fd, bytes.as_mut_ptr().cast(), 4) } {
            4 => return Some(u32::from_ne_bytes(bytes)),
            -1 if errno() == libc::EINTR => {}
            _ => return None,
        }
    }
}

/// Whether there is a number to read, now or within some milliseconds.
pub fn ready(fd: i32, ms: i32) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one structure of ours.
    unsafe { libc::poll(&mut poll, 1, ms) == 1 }
}

/// A pipe: the read end and the write end.
pub fn pipe() -> (i32, i32) {
    let mut fds = [0; 2];
    // SAFETY: room for two numbers.
    let done = unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) };
    assert!(done == 0, "pipe: errno {}", errno());
    (fds[0], fds[1])
}
