// SPDX-License-Identifier: GPL-2.0

//! A value that only C, or unsafe code, touches.

use core::{cell::UnsafeCell, mem::MaybeUninit};

use pin_init::{pin_init_from_closure, PinInit, Wrapper};

/// Not dropped.
#[repr(transparent)]
pub struct Opaque<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Opaque<T> {
    /// Where it is.
    pub const fn get(&self) -> *mut T {
        UnsafeCell::get(&self.0).cast()
    }
}

impl<T> Wrapper<T> for Opaque<T> {
    fn pin_init<E>(value_init: impl PinInit<T, E>) -> impl PinInit<Self, E> {
        // SAFETY: transparent: its place is that of the value.
        unsafe { pin_init_from_closure(|slot: *mut Self| value_init.__pinned_init(slot.cast())) }
    }
}
