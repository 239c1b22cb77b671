// SPDX-License-Identifier: GPL-2.0

//! A value that is set once.

use core::{cell::UnsafeCell, marker::PhantomData};

use crate::sim::point;

/// Empty, or a value that stays.
pub struct SetOnce<T>(UnsafeCell<Option<T>>, PhantomData<T>);

// SAFETY: it is set before it is shared, or once while nobody else sets it.
unsafe impl<T: Send + Sync> Sync for SetOnce<T> {}
// SAFETY: it owns its value.
unsafe impl<T: Send> Send for SetOnce<T> {}

impl<T> SetOnce<T> {
    /// Empty.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(None), PhantomData)
    }

    /// The value.
    pub fn as_ref(&self) -> Option<&T> {
        point();
        // SAFETY: a value stays where it is.
        unsafe { (*self.0.get()).as_ref() }
    }

    /// Sets it, unless it is set.
    pub fn populate(&self, value: T) -> bool {
        point();
        // SAFETY: tasks are switched between in `point()` alone.
        let place = unsafe { &mut *self.0.get() };
        let empty = place.is_none();
        if empty {
            *place = Some(value);
        }
        empty
    }
}
