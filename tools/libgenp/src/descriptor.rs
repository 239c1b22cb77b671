// SPDX-License-Identifier: MIT OR Apache-2.0

//! A partition by its file descriptor alone, for programs that manage partitions
//! and do not use their memory.

use std::{
    ffi::c_char,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use crate::{
    abi,
    system::{self, ioctl, size_of},
};

/// A partition of which nothing is mapped. Dropping it closes the descriptor: the
/// last one to be closed takes the partition with it.
#[derive(Debug)]
pub struct Descriptor(OwnedFd);

/// Puts a name into its field of [`abi::genp_create`] or [`abi::genp_open`]. EINVAL
/// for one that does not fit.
pub fn name_field(name: &str) -> io::Result<[c_char; abi::GENP_NAME_SIZE as usize]> {
    let mut field = [0; abi::GENP_NAME_SIZE as usize];
    // One byte is left for the zero that ends it.
    if name.len() >= field.len() || name.contains('\0') {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    for (to, from) in field.iter_mut().zip(name.bytes()) {
        *to = from as c_char;
    }
    Ok(field)
}

impl Descriptor {
    /// Creates a partition as requested.
    pub fn create(mut request: abi::genp_create) -> io::Result<Self> {
        request.size = size_of::<abi::genp_create>();
        // SAFETY: the command's own structure.
        unsafe {
            ioctl(
                system::control()?.as_fd(),
                abi::GENP_IOCTL_CREATE,
                &mut request,
            )?
        };
        // SAFETY: a file descriptor that the kernel has just made for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(request.fd) }))
    }

    /// Creates a partition of what this one has for children, `GENP_CREATE_CHILD`: ENOSPC,
    /// EDQUOT and others, see `Documentation/sub-partitions.rst`.
    pub fn create_child(&self, mut request: abi::genp_create) -> io::Result<Self> {
        request.size = size_of::<abi::genp_create>();
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.0.as_fd(), abi::GENP_IOCTL_CREATE_CHILD, &mut request)? };
        // SAFETY: a file descriptor that the kernel has just made for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(request.fd) }))
    }

    /// Opens a partition by its name: ENOENT, EACCES.
    pub fn open(name: &str) -> io::Result<Self> {
        Self::open_as(name, 0)
    }

    /// The same without any right, for which the right to read it suffices: to map the reserve for
    /// reading, and for statistics, bounds and histograms. EINVAL of an older module.
    pub fn open_read_only(name: &str) -> io::Result<Self> {
        Self::open_as(name, abi::GENP_OPEN_READ_ONLY)
    }

    fn open_as(name: &str, flags: u32) -> io::Result<Self> {
        let mut request = abi::genp_open {
            size: size_of::<abi::genp_open>(),
            flags,
            name: name_field(name)?,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe {
            ioctl(
                system::control()?.as_fd(),
                abi::GENP_IOCTL_OPEN,
                &mut request,
            )?
        };
        // SAFETY: a file descriptor that the kernel has just made for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(request.fd) }))
    }

    /// The state and the counters of the partition.
    pub fn stat(&self) -> io::Result<abi::genp_stat> {
        let mut stat = abi::genp_stat {
            size: size_of::<abi::genp_stat>(),
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_GET_STAT, &mut stat)? };
        Ok(stat)
    }

    /// The partition's bounds, and which reserve always suffices for `live` bytes in
    /// regions of at most `largest`; a `live` of 0 asks for no such reserve. E2BIG if
    /// no number is large enough for it.
    pub fn bounds(&self, live: u64, largest: u64) -> io::Result<abi::genp_bounds> {
        let mut bounds = abi::genp_bounds {
            size: size_of::<abi::genp_bounds>(),
            live_bytes: live,
            largest_request: largest,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_GET_BOUNDS, &mut bounds)? };
        Ok(bounds)
    }

    /// The histogram of the durations of the operation `op`, a `GENP_OP_*`: see
    /// `struct genp_histogram`. EINVAL if there is no such operation.
    pub fn histogram(&self, op: u32) -> io::Result<[u64; abi::GENP_HISTOGRAM_BUCKETS as usize]> {
        let mut histogram = abi::genp_histogram {
            size: size_of::<abi::genp_histogram>(),
            flags: 0,
            op,
            reserved: 0,
            count: [0; abi::GENP_HISTOGRAM_BUCKETS as usize],
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_GET_HISTOGRAM, &mut histogram)? };
        Ok(histogram.count)
    }

    /// Changes the reserve and what may be borrowed: errors as of `GENP_RESIZE`.
    pub(crate) fn resize(&self, reserve: u64, borrow_limit: u64) -> io::Result<()> {
        let mut request = abi::genp_resize {
            size: size_of::<abi::genp_resize>(),
            reserve,
            borrow_limit,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_RESIZE, &mut request) }
    }

    /// Allocates a region and leaves it there: its offset in the reserve. ENOMEM if there is no
    /// room.
    pub(crate) fn alloc_region(&self, length: u64) -> io::Result<u64> {
        Ok(self.take_region(length)?.0)
    }

    /// Allocates a region: its offset in the reserve, and its handle. ENOMEM if there is no room.
    pub(crate) fn take_region(&self, length: u64) -> io::Result<(u64, u64)> {
        let mut request = abi::genp_alloc {
            size: size_of::<abi::genp_alloc>(),
            length,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_ALLOC, &mut request)? };
        Ok((request.offset, request.handle))
    }

    /// Frees a region: ESTALE if that was done before.
    pub(crate) fn free_region(&self, handle: u64) -> io::Result<()> {
        let mut request = abi::genp_handle {
            size: size_of::<abi::genp_handle>(),
            handle,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_FREE, &mut request) }
    }

    /// Has the kernel read there, an offset in the reserve, what a heap says of itself: a
    /// `struct genp_heap_figures`. ENOTTY if the module is older than that, EOPNOTSUPP if the
    /// reserve is not in the pool.
    pub(crate) fn tell_heap_at(&self, offset: u64) -> io::Result<()> {
        let mut request = abi::genp_heap {
            size: size_of::<abi::genp_heap>(),
            flags: 0,
            offset,
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_SET_HEAP, &mut request) }
    }

    /// Destroys the partition for all its users: EIDRM if it was destroyed before. Its
    /// memory is freed with the last close and unmap.
    pub fn destroy(&self) -> io::Result<()> {
        let mut request = abi::genp_destroy {
            size: size_of::<abi::genp_destroy>(),
            flags: 0,
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_DESTROY, &mut request) }
    }

    /// Sleeps until the partition is destroyed. Consumes no events.
    pub fn wait_destroyed(&self) -> io::Result<()> {
        let mut poll = libc::pollfd {
            fd: self.0.as_raw_fd(),
            events: 0, // POLLHUP is always reported.
            revents: 0,
        };
        loop {
            // SAFETY: one structure, there during the call.
            match unsafe { libc::poll(&mut poll, 1, -1) } {
                -1 => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
                _ if poll.revents & libc::POLLHUP != 0 => return Ok(()),
                _ => return Err(io::Error::from_raw_os_error(libc::EIO)),
            }
        }
    }

    /// Lets programs started by this one inherit the descriptor under its number.
    pub fn inherit(&self) -> io::Result<()> {
        // SAFETY: changes a flag of our own descriptor, the only one there is.
        match unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_SETFD, 0) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

impl From<OwnedFd> for Descriptor {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Descriptor> for OwnedFd {
    fn from(part: Descriptor) -> Self {
        part.0
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_with_their_zero_or_not_at_all() {
        let longest = "n".repeat(31);
        let field = name_field(&longest).unwrap();
        assert_eq!((field[30], field[31]), (b'n' as c_char, 0));
        assert!(name_field(&"n".repeat(32)).is_err());
        assert!(name_field("a\0b").is_err());
    }
}
