// SPDX-License-Identifier: GPL-2.0

//! Counted references.

use core::{
    cell::Cell,
    marker::{PhantomData, Unsize},
    mem::ManuallyDrop,
    ops::{CoerceUnsized, Deref, DerefMut, DispatchFromDyn},
    pin::Pin,
    ptr::NonNull,
};
use std::boxed::Box;

use pin_init::PinInit;

use crate::{
    alloc::{allow, AllocError, Flags},
    error::{code::ENOMEM, Error, Result},
    sim::{self, point},
};

/// The count comes first, so that the address of the value tells where it is.
#[repr(C, align(16))]
struct Inner<T: ?Sized> {
    count: Cell<u64>,
    _pad: u64,
    value: T,
}

/// A counted reference.
pub struct Arc<T: ?Sized>(NonNull<Inner<T>>, PhantomData<Inner<T>>);

// SAFETY: as that of the standard library; tasks share one thread of the host.
unsafe impl<T: ?Sized + Sync + Send> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync + Send> Sync for Arc<T> {}

impl<T: ?Sized + Unsize<U>, U: ?Sized> CoerceUnsized<Arc<U>> for Arc<T> {}
impl<T: ?Sized + Unsize<U>, U: ?Sized> DispatchFromDyn<Arc<U>> for Arc<T> {}

impl<T> Arc<T> {
    fn from_box(inner: Box<Inner<T>>) -> Self {
        sim::machine().count_heap(1);
        Self(NonNull::from(Box::leak(inner)), PhantomData)
    }

    /// ENOMEM.
    pub fn new(value: T, _flags: Flags) -> Result<Self, AllocError> {
        if !allow() {
            return Err(AllocError);
        }
        Ok(Self::from_box(Box::new(Inner {
            count: Cell::new(1),
            _pad: 0,
            value,
        })))
    }

    /// Initialises it in place: ENOMEM, or the initialiser's error.
    pub fn pin_init<E>(init: impl PinInit<T, E>, _flags: Flags) -> Result<Self>
    where
        Error: From<E>,
    {
        if !allow() {
            return Err(ENOMEM);
        }
        let mut place = Box::<Inner<T>>::new_uninit();
        let at = place.as_mut_ptr();
        // SAFETY: a place of our own on the heap.
        unsafe {
            init.__pinned_init(&raw mut (*at).value)?;
            (&raw mut (*at).count).write(Cell::new(1));
            (&raw mut (*at)._pad).write(0);
            Ok(Self::from_box(Box::from_raw(Box::into_raw(place).cast())))
        }
    }

    /// Takes back what `into_raw` gave.
    pub unsafe fn from_raw(value: *const T) -> Self {
        let offset = core::mem::offset_of!(Inner<T>, value);
        // SAFETY: by the precondition, the value of an `Inner`.
        let inner = unsafe { value.byte_sub(offset) }.cast::<Inner<T>>();
        // SAFETY: as above.
        Self(
            unsafe { NonNull::new_unchecked(inner.cast_mut()) },
            PhantomData,
        )
    }
}

impl<T: ?Sized> Arc<T> {
    fn inner(&self) -> &Inner<T> {
        // SAFETY: alive for as long as there is a reference.
        unsafe { self.0.as_ref() }
    }

    /// The value's address, with the reference.
    pub fn into_raw(self) -> *const T {
        Self::as_ptr(&ManuallyDrop::new(self))
    }

    /// The value's address.
    pub fn as_ptr(this: &Self) -> *const T {
        &raw const this.inner().value
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        let count = &self.inner().count;
        assert!(count.get() > 0, "a reference to what is gone");
        count.set(count.get() + 1);
        Self(self.0, PhantomData)
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        point();
        let left = self.inner().count.get() - 1;
        self.inner().count.set(left);
        if left == 0 {
            // SAFETY: the last reference.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
            sim::machine().count_heap(-1);
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner().value
    }
}

/// The only reference.
pub struct UniqueArc<T>(Arc<T>);

impl<T> UniqueArc<T> {
    /// As [`Arc::pin_init`].
    pub fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Pin<Self>>
    where
        Error: From<E>,
    {
        // SAFETY: it is never moved out of its place on the heap.
        Arc::pin_init(init, flags).map(|arc| unsafe { Pin::new_unchecked(Self(arc)) })
    }
}

impl<T> Deref for UniqueArc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for UniqueArc<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the only reference.
        unsafe { &mut (*self.0 .0.as_ptr()).value }
    }
}

impl<T> From<Pin<UniqueArc<T>>> for Arc<T> {
    fn from(unique: Pin<UniqueArc<T>>) -> Self {
        // SAFETY: an `Arc` does not move its value either.
        unsafe { Pin::into_inner_unchecked(unique) }.0
    }
}
