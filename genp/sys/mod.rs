// SPDX-License-Identifier: GPL-2.0

//! The border to the kernel: the only Rust that is unsafe or names C.
//!
//! Each file wraps one thing of the kernel's in a safe type. The C side, glue_*.c,
//! has a function for each call that is a macro or an inline function there, and
//! the tables of operations through which the kernel calls in; those calls arrive
//! in `entry`.

pub(crate) mod abi;
pub(crate) mod capi;
pub(crate) mod cpu;
pub(crate) mod device;
pub(crate) mod entry;
pub(crate) mod errno;
pub(crate) mod eventfd;
pub(crate) mod file;
pub(crate) mod glue;
pub(crate) mod irq_work;
#[cfg(GENP_KUNIT)]
pub(crate) mod kunit;
pub(crate) mod link;
pub(crate) mod lock;
pub(crate) mod page;
pub(crate) mod range;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod time;
pub(crate) mod trace;
pub(crate) mod user;
pub(crate) mod vma;
pub(crate) mod window;
pub(crate) mod word;
