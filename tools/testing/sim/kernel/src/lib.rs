// SPDX-License-Identifier: GPL-2.0

//! A simulated kernel for the module's Rust code, on the host.
//!
//! The module is compiled unchanged against two things that are simulated here: the crate
//! `kernel`, of which this has what the module uses, and the functions of the module's C
//! side, `genp/sys/glue_*.c`, which are in [`glue`]. Both rest on [`sim`]: tasks, locks,
//! time, interrupts, pages and address spaces, all of them driven by one seed.

#![feature(coerce_unsized, unsize, dispatch_from_dyn)]
#![allow(clippy::missing_safety_doc)] // As in the kernel's crate.
#![allow(clippy::new_without_default)] // As above.
#![allow(clippy::vec_box)] // What is in them is known by its address.
#![allow(clippy::not_unsafe_ptr_arg_deref)] // Tasks live as long as the machine.
#![allow(improper_ctypes, improper_ctypes_definitions)] // All of C is Rust here.

pub mod alloc;
pub mod bindings;
pub mod debugfs;
pub mod error;
pub mod ffi;
pub mod fs;
pub mod glue;
pub mod mm;
pub mod page;
pub mod prelude;
pub mod seq_file;
pub mod sim;
pub mod str;
pub mod sync;
pub mod task;
pub mod time;
pub mod types;
pub mod uaccess;

pub use core::fmt;
pub use prelude::*;

#[doc(hidden)]
pub use pin_init as __pin_init;

/// A C string of the program.
#[macro_export]
macro_rules! c_str {
    ($text:expr) => {{
        const TEXT: &::core::ffi::CStr =
            match ::core::ffi::CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
                Ok(text) => text,
                Err(_) => panic!("a zero inside"),
            };
        TEXT
    }};
}

/// The class of a lock, one for each place in the code.
#[macro_export]
macro_rules! static_lock_class {
    () => {{
        static CLASS: $crate::sync::LockClassKey = $crate::sync::LockClassKey::new();
        ::core::pin::Pin::static_ref(&CLASS)
    }};
}

/// An initialiser of a mutex.
#[macro_export]
macro_rules! new_mutex {
    ($value:expr, $name:literal) => {
        $crate::sync::Mutex::new($value, $crate::c_str!($name), $crate::static_lock_class!())
    };
}

/// An initialiser of a queue of pollers.
#[macro_export]
macro_rules! new_poll_condvar {
    ($name:literal) => {
        $crate::sync::poll::PollCondVar::new($name)
    };
}

/// The current task.
#[macro_export]
macro_rules! current {
    () => {
        $crate::task::current()
    };
}

/// A line in the log.
#[macro_export]
macro_rules! pr_err {
    ($($args:tt)*) => {
        $crate::sim::log(::core::format_args!($($args)*))
    };
}

/// A line of a file of text.
#[macro_export]
macro_rules! seq_print {
    ($m:expr, $($args:tt)*) => {
        $m.call_printf(::core::format_args!($($args)*))
    };
}

/// The arguments of a formatted text.
#[macro_export]
macro_rules! fmt {
    ($($args:tt)*) => {
        ::core::format_args!($($args)*)
    };
}

/// As `pin_init!`, with the kernel's errors.
#[macro_export]
macro_rules! try_pin_init {
    ($($args:tt)*) => {
        $crate::__pin_init::pin_init!(#[default_error($crate::error::Error)] $($args)*)
    };
}
