// SPDX-License-Identifier: MIT OR Apache-2.0

//! System calls, with errors as [`io::Error`].

use std::{
    ffi::CStr,
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use crate::abi;

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
