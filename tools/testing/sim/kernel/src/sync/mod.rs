// SPDX-License-Identifier: GPL-2.0

//! Locks, counted references and atomics.

mod arc;
pub mod aref;
pub mod atomic;
pub mod lock;
pub mod poll;
mod set_once;

use core::pin::Pin;

pub use arc::{Arc, UniqueArc};
pub use lock::Mutex;
pub use set_once::SetOnce;

use crate::bindings::lock_class_key;

/// The class of a lock.
pub struct LockClassKey(#[allow(dead_code)] u8); // For an address of its own.

impl LockClassKey {
    /// One of its own.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Its address.
    pub fn as_ptr(self: Pin<&'static Self>) -> *mut lock_class_key {
        core::ptr::from_ref(self.get_ref()).cast_mut().cast()
    }
}
