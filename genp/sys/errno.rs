// SPDX-License-Identifier: GPL-2.0

//! Error numbers that the `kernel` crate of the oldest supported kernel does not have.

use kernel::error::Error;

macro_rules! errnos {
    ($($name:ident)*) => { $(
        pub(crate) const $name: Error = from_number(kernel::bindings::$name);
    )* };
}

/// The error of an error number of the kernel's headers.
const fn from_number(number: u32) -> Error {
    let number = -(number as i32);
    // SAFETY: `Error` is a transparent wrapper of a non-zero i32 from -4095 to
    // -1, and all error numbers are. It has no constructor for constants.
    unsafe { ::core::mem::transmute::<i32, Error>(number) }
}

errnos! {
    EDQUOT EIDRM EOPNOTSUPP ESTALE EUSERS
}
