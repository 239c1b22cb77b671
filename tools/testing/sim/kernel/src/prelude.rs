// SPDX-License-Identifier: GPL-2.0

//! What the module imports everywhere.

pub use core::{mem::size_of, pin::Pin};

pub use crate::{
    alloc::{flags::*, KBox, KVVec},
    current,
    error::{code::*, Error, Result},
    fmt, pr_err,
    str::CStrExt as _,
    try_pin_init,
};
pub use pin_init::{init, pin_data, pin_init, PinInit};
