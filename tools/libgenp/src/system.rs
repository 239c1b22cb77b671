// SPDX-License-Identifier: MIT OR Apache-2.0

//! System calls, with errors as [`io::Error`].

use std::{
    ffi::CStr,
    io,
    ops::Range,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr::NonNull,
};

use crate::{abi, process::Process};

/// Issues an ioctl with its argument structure.
///
/// # Safety
///
/// `T` is the structure that `command` takes, with its size in it.
pub(crate) unsafe fn ioctl<T>(fd: BorrowedFd<'_>, command: u64, arg: &mut T) -> io::Result<()> {
    // SAFETY: by the precondition the kernel stays within `arg`.
    match unsafe { libc::ioctl(fd.as_raw_fd(), command as _, std::ptr::from_mut(arg)) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The size field of a structure.
pub(crate) fn size_of<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

/// Bytes of a page of this system, which need not be those that it was built for.
pub fn page_size() -> usize {
    // SAFETY: no memory is involved.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Opens /dev/genp.
pub fn control() -> io::Result<OwnedFd> {
    let path = CStr::from_bytes_with_nul(abi::GENP_DEVICE_PATH).map_err(io::Error::other)?;
    // SAFETY: a string that ends with zero.
    match unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: a file descriptor of our own.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
    }
}

/// The state of the pool.
pub fn info() -> io::Result<abi::genp_info> {
    use std::os::fd::AsFd;

    let mut info = abi::genp_info {
        size: size_of::<abi::genp_info>(),
        ..Default::default()
    };
    // SAFETY: the command's own structure.
    unsafe { ioctl(control()?.as_fd(), abi::GENP_IOCTL_GET_INFO, &mut info)? };
    Ok(info)
}

/// A mapping, undone when dropped by the process that made it. Its children have
/// nothing there, or something of their own.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: Option<NonNull<u8>>,
    length: usize,
    process: Process,
}

// SAFETY: owns a range of addresses, which any thread may use and unmap.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps a window of a partition, readable and writable. Without an address if
    /// `length` is 0.
    pub(crate) fn new(fd: BorrowedFd<'_>, offset: u64, length: u64) -> io::Result<Self> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let process = Process::current();
        if length == 0 {
            return Ok(Self {
                start: None,
                length,
                process,
            });
        }
        // SAFETY: a new mapping where the kernel likes.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                offset as libc::off_t,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            start: NonNull::new(start.cast()),
            length,
            process,
        })
    }

    /// The address at `offset`, if `length` bytes from there are mapped.
    pub(crate) fn at(&self, offset: u64, length: usize) -> Option<NonNull<u8>> {
        let offset = usize::try_from(offset).ok()?;
        if offset.checked_add(length)? > self.length {
            return None;
        }
        // SAFETY: within the mapping.
        Some(unsafe { self.start?.add(offset) })
    }

    /// The addresses of the mapping, if it has any.
    pub(crate) fn addresses(&self) -> Option<Range<usize>> {
        let start = self.start?.as_ptr() as usize;
        Some(start..start + self.length)
    }

    /// The offset of an address in the mapping, if it lies there.
    pub(crate) fn offset_of(&self, address: *const u8) -> Option<u64> {
        let offset = (address as usize).checked_sub(self.start?.as_ptr() as usize)?;
        (offset < self.length).then_some(offset as u64)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if let Some(start) = self.start.filter(|_| self.process.is_current()) {
            // SAFETY: our own mapping, which nobody uses any longer.
            unsafe { libc::munmap(start.as_ptr().cast(), self.length) };
        }
    }
}

/// A random number of the kernel's: EAGAIN if it has none yet, shortly after its start.
pub(crate) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // SAFETY: there is room for as many bytes.
    let got =
        unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) };
    match usize::try_from(got) {
        Ok(count) if count == bytes.len() => Ok(u64::from_ne_bytes(bytes)),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EAGAIN)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// CLOCK_MONOTONIC in nanoseconds, the clock of deadlines.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is there to be written; the clock exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
