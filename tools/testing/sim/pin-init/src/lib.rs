// SPDX-License-Identifier: GPL-2.0

//! Initialising values in place, as the kernel's crate `pin_init` does it: the part that
//! the module uses.

use core::{convert::Infallible, marker::PhantomData};

pub use genp_sim_macros::pin_data;

/// An initialiser of a `T`.
///
/// # Safety
///
/// If `__pinned_init` returns Ok, the place is initialised, and otherwise nothing is left in it.
pub unsafe trait PinInit<T: ?Sized, E = Infallible>: Sized {
    /// Initialises a place.
    ///
    /// # Safety
    ///
    /// `slot` is valid for writes, and stays where it is if this succeeds.
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E>;
}

/// Any value initialises a place with itself.
// SAFETY: it cannot fail.
unsafe impl<T> PinInit<T> for T {
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), Infallible> {
        // SAFETY: by the precondition.
        unsafe { slot.write(self) };
        Ok(())
    }
}

struct InitClosure<F, T: ?Sized, E>(F, PhantomData<fn(E) -> Box<T>>);

// SAFETY: by the precondition of `pin_init_from_closure`.
unsafe impl<T: ?Sized, F, E> PinInit<T, E> for InitClosure<F, T, E>
where
    F: FnOnce(*mut T) -> Result<(), E>,
{
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        (self.0)(slot)
    }
}

/// An initialiser that is a closure.
///
/// # Safety
///
/// The closure does what [`PinInit`] demands.
pub unsafe fn pin_init_from_closure<T: ?Sized, E>(
    f: impl FnOnce(*mut T) -> Result<(), E>,
) -> impl PinInit<T, E> {
    InitClosure(f, PhantomData)
}

/// A wrapper that can be initialised by an initialiser of what it wraps.
pub trait Wrapper<T> {
    /// Initialises it.
    fn pin_init<E>(value_init: impl PinInit<T, E>) -> impl PinInit<Self, E>;
}

/// An initialiser of an array. The kernel's makes it in place; the stack of a host is large.
pub fn init_array_from_fn<T, const N: usize>(make: impl FnMut(usize) -> T) -> impl PinInit<[T; N]> {
    core::array::from_fn(make)
}

/// Drops a field again unless it is forgotten.
pub struct DropGuard<T: ?Sized>(pub *mut T);

impl<T: ?Sized> Drop for DropGuard<T> {
    fn drop(&mut self) {
        // SAFETY: made for a field that was initialised.
        unsafe { core::ptr::drop_in_place(self.0) }
    }
}

/// A pinned initialiser that cannot fail.
#[macro_export]
macro_rules! pin_init {
    (#[default_error($error:ty)] $this:ident { $($fields:tt)* } $(? $other:ty)?) => {{
        // SAFETY: every field is initialised, or those that were are dropped.
        unsafe {
            $crate::pin_init_from_closure::<$this, $error>(move |slot| {
                $crate::__fields!(slot, $this, [], $($fields)*);
                Ok(())
            })
        }
    }};
    ($this:ident { $($fields:tt)* }) => {
        $crate::pin_init!(#[default_error(::core::convert::Infallible)] $this { $($fields)* })
    };
}

/// An initialiser that cannot fail, pinned or not.
#[macro_export]
macro_rules! init {
    ($($all:tt)*) => {
        $crate::pin_init!($($all)*)
    };
}

/// Initialises the fields one by one, and lets the compiler check that none is missing.
#[doc(hidden)]
#[macro_export]
macro_rules! __fields {
    ($slot:ident, $this:ident, [$($done:ident)*],) => {
        #[allow(unreachable_code, clippy::diverging_sub_expression)]
        let _ = || -> $this { $this { $($done: ::core::unreachable!(),)* } };
        $( ::core::mem::forget($done); )*
    };
    ($slot:ident, $this:ident, [$($done:ident)*], $field:ident <- $value:expr $(, $($rest:tt)*)?) => {
        let place = ::core::ptr::addr_of_mut!((*$slot).$field);
        $crate::PinInit::__pinned_init($value, place)?;
        let $field = $crate::DropGuard(place);
        $crate::__fields!($slot, $this, [$($done)* $field], $($($rest)*)?);
    };
    ($slot:ident, $this:ident, [$($done:ident)*], $field:ident: $value:expr $(, $($rest:tt)*)?) => {
        let value = $value;
        let place = ::core::ptr::addr_of_mut!((*$slot).$field);
        place.write(value);
        let $field = $crate::DropGuard(place);
        $crate::__fields!($slot, $this, [$($done)* $field], $($($rest)*)?);
    };
    ($slot:ident, $this:ident, [$($done:ident)*], $field:ident $(, $($rest:tt)*)?) => {
        let place = ::core::ptr::addr_of_mut!((*$slot).$field);
        place.write($field);
        let $field = $crate::DropGuard(place);
        $crate::__fields!($slot, $this, [$($done)* $field], $($($rest)*)?);
    };
}
