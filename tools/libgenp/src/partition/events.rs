// SPDX-License-Identifier: MIT OR Apache-2.0

//! The limits of a partition, its events, and how long its calls took.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd},
};

use super::{error, Partition};
use crate::{
    abi,
    system::{ioctl, size_of},
};

impl Partition {
    /// Changes how much it may borrow, at most to what it was created with. Errors as of
    /// `GENP_RESIZE`; ECHILD; EDEADLK in a handler that interrupted [`Self::resize`].
    pub fn set_borrow_limit(&self, bytes: u64) -> io::Result<()> {
        self.process.check()?;
        // The reserve stays what it is until the answer.
        let _pieces = self.pieces.lock()?;
        self.file.resize(self.file.stat()?.reserve, bytes)
    }

    /// Has an eventfd signalled at events of these types, `1 << GENP_EVENT_*`; -1 for none.
    /// EBADF, EINVAL; ECHILD.
    pub fn set_eventfd(&self, fd: i32, mask: u32) -> io::Result<()> {
        self.process.check()?;
        let mut request = abi::genp_eventfd {
            size: size_of::<abi::genp_eventfd>(),
            flags: 0,
            fd,
            mask,
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.fd(), abi::GENP_IOCTL_SET_EVENTFD, &mut request) }
    }

    /// Waits for the next event, at most `timeout_ms` milliseconds; without a limit if that
    /// is negative. EAGAIN if it is 0 and there is none, ETIMEDOUT, EINTR; EIDRM when the
    /// partition was destroyed and all events were read; ECHILD.
    pub fn wait_event(&self, timeout_ms: i32) -> io::Result<abi::genp_event> {
        self.process.check()?;
        let mut poll = libc::pollfd {
            fd: self.file.as_fd().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one structure, there during the call.
        match unsafe { libc::poll(&mut poll, 1, timeout_ms) } {
            -1 => Err(io::Error::last_os_error()),
            0 if timeout_ms == 0 => Err(error(libc::EAGAIN)),
            0 => Err(error(libc::ETIMEDOUT)),
            _ => self.read_event(),
        }
    }

    fn read_event(&self) -> io::Result<abi::genp_event> {
        let mut event = MaybeUninit::<abi::genp_event>::zeroed();
        let bytes = std::mem::size_of::<abi::genp_event>();
        // SAFETY: room for that many bytes.
        let read = unsafe {
            libc::read(
                self.file.as_fd().as_raw_fd(),
                event.as_mut_ptr().cast(),
                bytes,
            )
        };
        match read {
            -1 => Err(io::Error::last_os_error()),
            0 => Err(error(libc::EIDRM)),
            // SAFETY: any bytes are valid.
            some if some as usize == bytes => Ok(unsafe { event.assume_init() }),
            _ => Err(error(libc::EIO)),
        }
    }

    /// The histogram of an operation, a `GENP_OP_*`: see `struct genp_histogram`. EINVAL if
    /// there is no such operation; ECHILD.
    pub fn histogram(&self, op: u32) -> io::Result<[u64; abi::GENP_HISTOGRAM_BUCKETS as usize]> {
        self.process.check()?;
        self.file.histogram(op)
    }
}
