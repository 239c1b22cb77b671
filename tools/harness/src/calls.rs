// SPDX-License-Identifier: GPL-2.0

//! The ioctls as plain functions, which return what the kernel returned.

use crate::{abi, Errno};

/// The errno of the last call.
pub fn errno() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// The result of a system call: its value, or the errno.
pub fn checked(value: i64) -> Result<i64, Errno> {
    if value == -1 {
        Err(errno())
    } else {
        Ok(value)
    }
}

/// Issues any ioctl with any argument: the kernel checks it.
pub fn raw_ioctl(fd: i32, command: u64, arg: usize) -> Result<i64, Errno> {
    // SAFETY: the callers pass memory that may be overwritten, or an address that is
    // not mapped.
    checked(unsafe { libc::ioctl(fd, command as _, arg) }.into())
}

/// Issues a command with its own structure.
pub fn call<T>(fd: i32, command: u64, arg: &mut T) -> Result<(), Errno> {
    raw_ioctl(fd, command, std::ptr::from_mut(arg) as usize).map(|_| ())
}

/// The size field of a structure.
pub const fn size_of<T>() -> u32 {
    std::mem::size_of::<T>() as u32
}

/// Opens /dev/genp.
pub fn open_control() -> Result<i32, Errno> {
    let path = abi::GENP_DEVICE_PATH.as_ptr().cast();
    // SAFETY: a string that ends with zero.
    checked(unsafe { libc::open(path, libc::O_RDWR | libc::O_CLOEXEC) }.into()).map(|fd| fd as i32)
}

/// Closes a file descriptor.
pub fn close(fd: i32) {
    // SAFETY: the callers own the descriptor.
    unsafe { libc::close(fd) };
}

/// The state of the pool.
pub fn info(control: i32) -> Result<abi::genp_info, Errno> {
    let mut info = abi::genp_info {
        size: size_of::<abi::genp_info>(),
        ..Default::default()
    };
    call(control, abi::GENP_IOCTL_GET_INFO, &mut info).map(|()| info)
}

/// A valid request for a partition.
pub fn create_request(reserve: u64, borrow_limit: u64) -> abi::genp_create {
    abi::genp_create {
        size: size_of::<abi::genp_create>(),
        reserve,
        borrow_limit,
        node: abi::GENP_ANY_NODE,
        ..Default::default()
    }
}

/// The state and the counters of a partition.
pub fn stat(fd: i32) -> Result<abi::genp_stat, Errno> {
    let mut stat = abi::genp_stat {
        size: size_of::<abi::genp_stat>(),
        ..Default::default()
    };
    call(fd, abi::GENP_IOCTL_GET_STAT, &mut stat).map(|()| stat)
}

/// The bounds of a partition.
pub fn bounds(fd: i32) -> Result<abi::genp_bounds, Errno> {
    let mut bounds = abi::genp_bounds {
        size: size_of::<abi::genp_bounds>(),
        ..Default::default()
    };
    call(fd, abi::GENP_IOCTL_GET_BOUNDS, &mut bounds).map(|()| bounds)
}

/// Allocates a region.
pub fn alloc(fd: i32, length: u64, align: u64) -> Result<abi::genp_alloc, Errno> {
    let mut request = abi::genp_alloc {
        size: size_of::<abi::genp_alloc>(),
        length,
        align,
        ..Default::default()
    };
    call(fd, abi::GENP_IOCTL_ALLOC, &mut request).map(|()| request)
}

/// GENP_FREE and GENP_RETURN.
pub fn by_handle(fd: i32, command: u64, handle: u64) -> Result<(), Errno> {
    let mut request = abi::genp_handle {
        size: size_of::<abi::genp_handle>(),
        flags: 0,
        handle,
    };
    call(fd, command, &mut request)
}

/// Borrows until `deadline`, for a term of `lease_ns`.
pub fn borrow(
    fd: i32,
    length: u64,
    deadline: u64,
    lease_ns: u64,
) -> Result<abi::genp_borrow, Errno> {
    let mut request = abi::genp_borrow {
        size: size_of::<abi::genp_borrow>(),
        length,
        deadline,
        lease_ns,
        ..Default::default()
    };
    call(fd, abi::GENP_IOCTL_BORROW, &mut request).map(|()| request)
}

/// Returns a lease.
pub fn give_back(fd: i32, handle: u64) -> Result<(), Errno> {
    by_handle(fd, abi::GENP_IOCTL_RETURN, handle)
}

/// Destroys a partition.
pub fn destroy(fd: i32) -> Result<(), Errno> {
    let mut request = abi::genp_destroy {
        size: size_of::<abi::genp_destroy>(),
        flags: 0,
    };
    call(fd, abi::GENP_IOCTL_DESTROY, &mut request)
}

/// The name of an errno, as in C.
pub fn errno_name(errno: Errno) -> String {
    let known = [
        (0, "0"),
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::EINTR, "EINTR"),
        (libc::EIO, "EIO"),
        (libc::E2BIG, "E2BIG"),
        (libc::EBADF, "EBADF"),
        (libc::EAGAIN, "EAGAIN"),
        (libc::ENOMEM, "ENOMEM"),
        (libc::EACCES, "EACCES"),
        (libc::EFAULT, "EFAULT"),
        (libc::EBUSY, "EBUSY"),
        (libc::EEXIST, "EEXIST"),
        (libc::EINVAL, "EINVAL"),
        (libc::ENFILE, "ENFILE"),
        (libc::EMFILE, "EMFILE"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::ENOSPC, "ENOSPC"),
        (libc::EIDRM, "EIDRM"),
        (libc::EOPNOTSUPP, "EOPNOTSUPP"),
        (libc::ESTALE, "ESTALE"),
        (libc::EDQUOT, "EDQUOT"),
        (libc::ETIMEDOUT, "ETIMEDOUT"),
    ];
    known
        .iter()
        .find(|(number, _)| *number == errno)
        .map_or_else(|| format!("errno {errno}"), |(_, name)| (*name).into())
}

/// The failure of a call as text, with the name of the call.
pub fn context<T>(call: &str, done: Result<T, Errno>) -> Result<T, String> {
    done.map_err(|errno| format!("{call}: {}", errno_name(errno)))
}
