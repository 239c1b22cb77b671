// SPDX-License-Identifier: MIT OR Apache-2.0

//! Messages for people, without allocating.

use std::fmt::{self, Write};

/// The most bytes of a message; the rest is cut off.
const MOST: usize = 512;

/// A text of at most so many bytes; the rest is cut off.
pub struct Text<const MOST: usize> {
    bytes: [u8; MOST],
    length: usize,
}

impl<const MOST: usize> Text<MOST> {
    pub fn new() -> Self {
        Self {
            bytes: [0; MOST],
            length: 0,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<const MOST: usize> Write for Text<MOST> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = &mut self.bytes[self.length..];
        let count = text.len().min(rest.len());
        rest[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.length += count;
        Ok(())
    }
}

/// Writes a line to stderr, by one system call. Keeps errno.
pub fn say(text: fmt::Arguments<'_>) {
    let mut line = Text::<MOST>::new();
    let _ = writeln!(line, "libgenp-preload: {text}");
    // SAFETY: the bytes are there; the errno is the calling thread's.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(2, line.bytes().as_ptr().cast(), line.bytes().len());
        *libc::__errno_location() = errno;
    }
}

/// Says why a program cannot be run, and ends it: with 125, as env and nice do.
pub fn give_up(text: fmt::Arguments<'_>) -> ! {
    say(text);
    // SAFETY: has no precondition.
    unsafe { libc::_exit(125) }
}

/// Says what a program did wrong, and aborts it.
pub fn abort(text: fmt::Arguments<'_>) -> ! {
    say(text);
    // SAFETY: has no precondition.
    unsafe { libc::abort() }
}
