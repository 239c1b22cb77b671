// SPDX-License-Identifier: GPL-2.0

//! The types of C as the kernel's crate has them.

#![allow(non_camel_case_types, missing_docs)]

pub use core::ffi::{c_int, c_schar, c_short, c_uint, c_void, CStr};

pub type c_char = u8;
pub type c_uchar = u8;
pub type c_ushort = u16;
pub type c_long = isize;
pub type c_ulong = usize;
pub type c_longlong = i64;
pub type c_ulonglong = u64;
