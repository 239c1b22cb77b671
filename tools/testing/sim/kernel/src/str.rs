// SPDX-License-Identifier: GPL-2.0

//! Strings of C.

use core::{fmt, ops::Deref};
use std::ffi;

pub use core::ffi::CStr;

use crate::{alloc::allow, error::code::ENOMEM, error::Result, ffi::c_char};

/// What the kernel's crate adds to them.
pub trait CStrExt {
    /// Its address.
    fn as_char_ptr(&self) -> *const c_char;
}

impl CStrExt for CStr {
    fn as_char_ptr(&self) -> *const c_char {
        self.as_ptr().cast()
    }
}

/// One on the heap.
pub struct CString(ffi::CString);

impl CString {
    /// ENOMEM.
    pub fn try_from_fmt(args: fmt::Arguments<'_>) -> Result<Self> {
        if !allow() {
            return Err(ENOMEM);
        }
        ffi::CString::new(std::format!("{args}"))
            .map(Self)
            .map_err(|_| ENOMEM)
    }
}

impl Deref for CString {
    type Target = CStr;

    fn deref(&self) -> &CStr {
        &self.0
    }
}
