// SPDX-License-Identifier: GPL-2.0

//! Atomics. Each access is a point at which another task, or an interrupt, may come in
//! between. Orders are not simulated: accesses take effect in the order in which they are made.

use core::cell::UnsafeCell;

use crate::sim::point;

/// Orders nothing.
pub struct Relaxed;
/// Of a load.
pub struct Acquire;
/// Of a store.
pub struct Release;
/// Of both.
pub struct Full;

/// A number or an address.
#[repr(transparent)]
pub struct Atomic<T>(UnsafeCell<T>);

// SAFETY: tasks are switched between at points alone.
unsafe impl<T> Sync for Atomic<T> {}
// SAFETY: a number or an address.
unsafe impl<T> Send for Atomic<T> {}

impl<T: Copy + PartialEq> Atomic<T> {
    /// With a value.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Where it is.
    pub const fn as_ptr(&self) -> *mut T {
        self.0.get()
    }

    fn change(&self, to: impl FnOnce(T) -> T) -> T {
        point();
        // SAFETY: nothing comes in between.
        unsafe {
            let old = *self.0.get();
            *self.0.get() = to(old);
            old
        }
    }

    /// The value.
    pub fn load<O>(&self, _: O) -> T {
        self.change(|value| value)
    }

    /// Replaces the value.
    pub fn store<O>(&self, value: T, _: O) {
        self.change(|_| value);
    }

    /// Replaces the value; returns the old one.
    pub fn xchg<O>(&self, value: T, _: O) -> T {
        self.change(|_| value)
    }

    /// Replaces the value if it is `old`; the value that it is otherwise.
    pub fn cmpxchg<O>(&self, old: T, new: T, _: O) -> Result<T, T> {
        let was = self.change(|value| if value == old { new } else { value });
        if was == old {
            Ok(was)
        } else {
            Err(was)
        }
    }
}

macro_rules! numbers {
    ($($number:ty)*) => { $(
        impl Atomic<$number> {
            /// Adds; returns the old value.
            pub fn fetch_add<O>(&self, more: $number, _: O) -> $number {
                self.change(|value| value.wrapping_add(more))
            }

            /// Subtracts; returns the old value.
            pub fn fetch_sub<O>(&self, less: $number, _: O) -> $number {
                self.change(|value| value.wrapping_sub(less))
            }

            /// Adds.
            pub fn add<O>(&self, more: $number, order: O) {
                self.fetch_add(more, order);
            }
        }
    )* };
}

numbers! { u32 i32 u64 i64 }
