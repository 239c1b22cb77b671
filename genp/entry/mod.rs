// SPDX-License-Identifier: GPL-2.0

//! What calls the module: the kernel by the tables of operations in C, user space by way
//! of it, and drivers by the C API.
//!
//! Each entry point turns pointers and argument structures into references and checked
//! values, and calls the layers below with these. There is `unsafe` only here and in
//! `sys`, which is what the module calls.

mod capi;
mod child;
pub(crate) mod debugfs;
pub(crate) mod device;
mod device_ioctl;
mod fdinfo;
mod file_ops;
mod hand_out;
mod partition_ioctl;
mod pool_info;
mod sysfs;

use kernel::{ffi::c_long, prelude::*};

/// Has the compiler compare the types of entry points with their prototypes in C.
macro_rules! same_prototypes {
    ($($name:ident),* $(,)?) => {
        const _: () = {
            $( let _ = if true { $crate::genp::sys::glue::$name } else { $name }; )*
        };
    };
}
use same_prototypes;

/// The result of a call that returns a number or a negative errno.
fn to_long(result: Result<i64>) -> c_long {
    match result {
        Ok(value) => value as c_long,
        Err(error) => error.to_errno() as c_long,
    }
}
