// SPDX-License-Identifier: GPL-2.0

//! A method to have memory for a while.

use std::ffi::CStr;

use harness::calls;
pub use harness::owned::{Fd, Mapped};

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// The largest request in pages; methods are set up for it.
pub const MOST: usize = 4096;

/// A method to get pages and to give them back; one piece at a time.
pub trait Method {
    /// The name of the subject.
    fn subject(&self) -> &'static str;

    /// The state of the memory before a turn, if it is prepared.
    fn state(&self) -> Option<&'static str> {
        None
    }

    /// What a reader has to know about the figure.
    fn note(&self) -> &'static str;

    /// Prepares one turn. Not measured; may sleep.
    fn prepare(&mut self, _pages: usize) -> Result<()> {
        Ok(())
    }

    /// Gets pages, mapped. Measured.
    fn get(&mut self, pages: usize) -> Result<*mut u8>;

    /// Gives them back. Measured.
    fn give(&mut self) -> Result<()>;
}

/// The errno of the last system call as text, after `what`.
pub fn failed(what: &str) -> String {
    failed_with(what, calls::errno())
}

/// An errno as text.
pub fn failed_with(what: &str, errno: i32) -> String {
    format!("{what}: {}", calls::errno_name(errno))
}

/// Opens a device.
pub fn open(path: &CStr) -> Result<i32> {
    // SAFETY: a string that ends with zero.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    match fd {
        -1 => Err(failed(&path.to_string_lossy())),
        fd => Ok(fd),
    }
}

/// A mapping of this length, readable and writable; anonymous if `fd` is -1.
pub fn map(length: usize, flags: i32, fd: i32, offset: u64) -> Result<Mapped> {
    Mapped::new(length, flags, fd, offset).map_err(|errno| failed_with("mmap", errno))
}
