// SPDX-License-Identifier: GPL-2.0

//! Error numbers.

use core::{convert::Infallible, ffi::c_int, num::NonZeroI32};

use crate::alloc::{AllocError, PushError};

/// A negative error number.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Error(NonZeroI32);

/// The result of most calls.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

impl Error {
    const fn new(number: i32) -> Self {
        match NonZeroI32::new(-number) {
            Some(number) => Self(number),
            None => panic!("not an error"),
        }
    }

    /// The negative number.
    pub const fn to_errno(self) -> c_int {
        self.0.get()
    }

    /// As a pointer that is none.
    pub fn to_ptr<T>(self) -> *mut T {
        self.0.get() as isize as *mut T
    }

    /// From a negative number.
    pub fn from_errno(number: c_int) -> Self {
        match NonZeroI32::new(number) {
            Some(number) if (-4095..0).contains(&number.get()) => Self(number),
            _ => panic!("{number} is no error number"),
        }
    }
}

impl core::fmt::Debug for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "errno {}", -self.to_errno())
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal)*) => {
        /// The errors.
        pub mod code {
            use super::Error;
            $(
                #[doc = stringify!($name)]
                pub const $name: Error = Error::new($number);
            )*
        }
    };
}

codes! {
    EPERM = 1 ENOENT = 2 ENXIO = 6 EBADF = 9 EAGAIN = 11 ENOMEM = 12 EACCES = 13 EFAULT = 14
    EBUSY = 16 EEXIST = 17 ENODEV = 19 EINVAL = 22 ENFILE = 23 ENOTTY = 25 ENOSPC = 28 EMLINK = 31
    ESRCH = 3 E2BIG = 7
    ETIMEDOUT = 110 ERESTARTSYS = 512
}

impl From<AllocError> for Error {
    fn from(_: AllocError) -> Self {
        code::ENOMEM
    }
}

impl<T> From<PushError<T>> for Error {
    fn from(_: PushError<T>) -> Self {
        code::EINVAL
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// From a number of C.
pub fn to_result(number: c_int) -> Result {
    match number < 0 {
        true => Err(Error::from_errno(number)),
        false => Ok(()),
    }
}

/// From a pointer of C.
pub fn from_err_ptr<T>(pointer: *mut T) -> Result<*mut T> {
    match pointer as isize {
        number @ -4095..0 => Err(Error::from_errno(number as c_int)),
        _ => Ok(pointer),
    }
}

/// To a number for C.
pub fn from_result(call: impl FnOnce() -> Result<c_int>) -> c_int {
    call().unwrap_or_else(Error::to_errno)
}
