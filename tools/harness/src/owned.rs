// SPDX-License-Identifier: GPL-2.0

//! File descriptors and mappings that are released when dropped.

use std::ptr;

use crate::{
    abi,
    calls::{self, checked},
    Errno,
};

/// A file descriptor.
#[derive(Debug)]
pub struct Fd(pub i32);

impl Drop for Fd {
    fn drop(&mut self) {
        calls::close(self.0);
    }
}

/// A mapping.
#[derive(Debug)]
pub struct Mapped {
    at: *mut u8,
    length: usize,
}

impl Mapped {
    /// Creates a mapping, readable and writable; anonymous if `fd` is -1.
    pub fn new(length: usize, flags: i32, fd: i32, offset: u64) -> Result<Self, Errno> {
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        let offset = offset as libc::off_t;
        // SAFETY: a new mapping where the kernel likes.
        let at = unsafe { libc::mmap(ptr::null_mut(), length, rights, flags, fd, offset) };
        if at == libc::MAP_FAILED {
            return Err(calls::errno());
        }
        let at = at.cast();
        Ok(Self { at, length })
    }

    /// The start address.
    pub fn start(&self) -> *mut u8 {
        self.at
    }

    /// The address `offset` bytes in.
    pub fn at(&self, offset: usize) -> *mut u8 {
        self.at.wrapping_add(offset)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: our own mapping; no address in it is kept elsewhere.
        unsafe { libc::munmap(self.at.cast(), self.length) };
    }
}

/// Opens /dev/genp.
pub fn control() -> Result<Fd, Errno> {
    calls::open_control().map(Fd)
}

/// Creates a partition.
pub fn create(
    control: &Fd,
    mut request: abi::genp_create,
) -> Result<(Fd, abi::genp_windows), Errno> {
    calls::call(control.0, abi::GENP_IOCTL_CREATE, &mut request)?;
    Ok((Fd(request.fd), request.windows))
}

/// A pipe: the read end and the write end.
pub fn pipe() -> Result<(Fd, Fd), Errno> {
    let mut ends = [0; 2];
    // SAFETY: room for two.
    checked(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }.into())?;
    Ok((Fd(ends[0]), Fd(ends[1])))
}
