// SPDX-License-Identifier: GPL-2.0

//! The heap. Each allocation is counted, and the seed may have it fail.

use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{CoerceUnsized, Deref, DerefMut},
    pin::Pin,
    ptr::NonNull,
};

use pin_init::PinInit;

use crate::{
    error::{code::ENOMEM, Error, Result},
    sim,
};

/// How hard to try.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Flags(u32);

/// The flags that have a name.
pub mod flags {
    /// May sleep.
    pub const GFP_KERNEL: super::Flags = super::Flags(crate::bindings::GFP_KERNEL);
}

/// There is no memory.
#[derive(Debug)]
pub struct AllocError;

/// There is no room.
#[derive(Debug)]
pub struct PushError<T>(pub T);

/// Whether the next allocation succeeds. Context: thread, may sleep.
pub fn allow() -> bool {
    sim::machine().may_allocate()
}

fn count(more: i64) {
    sim::machine().count_heap(more);
}

/// A value on the heap.
pub struct KBox<T: ?Sized>(NonNull<T>, PhantomData<Box<T>>);

// SAFETY: it owns its value.
unsafe impl<T: ?Sized + Send> Send for KBox<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for KBox<T> {}

impl<T: ?Sized + core::marker::Unsize<U>, U: ?Sized> CoerceUnsized<KBox<U>> for KBox<T> {}

impl<T> KBox<T> {
    /// ENOMEM.
    pub fn new(value: T, _flags: Flags) -> Result<Self, AllocError> {
        if !allow() {
            return Err(AllocError);
        }
        count(1);
        Ok(Self(NonNull::from(Box::leak(Box::new(value))), PhantomData))
    }

    /// Initialises it in place: ENOMEM, or the initialiser's error.
    pub fn pin_init<E>(init: impl PinInit<T, E>, _flags: Flags) -> Result<Pin<Self>>
    where
        Error: From<E>,
    {
        if !allow() {
            return Err(ENOMEM);
        }
        let mut place = Box::<T>::new_uninit();
        // SAFETY: a place of our own on the heap.
        unsafe { init.__pinned_init(place.as_mut_ptr()) }?;
        count(1);
        let place = NonNull::from(Box::leak(place)).cast();
        // SAFETY: initialised above, and never moved out of.
        unsafe { Ok(Pin::new_unchecked(Self(place, PhantomData))) }
    }
}

impl<T: ?Sized> KBox<T> {
    /// Gives it up.
    pub fn into_raw(this: Self) -> *mut T {
        ManuallyDrop::new(this).0.as_ptr()
    }

    /// Takes it back.
    pub unsafe fn from_raw(raw: *mut T) -> Self {
        // SAFETY: by the precondition, not null.
        Self(unsafe { NonNull::new_unchecked(raw) }, PhantomData)
    }
}

impl<T: ?Sized> Drop for KBox<T> {
    fn drop(&mut self) {
        // SAFETY: made of a box.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        count(-1);
    }
}

impl<T: ?Sized> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it owns its value.
        unsafe { self.0.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: it owns its value.
        unsafe { self.0.as_mut() }
    }
}

/// A table on the heap.
pub struct KVVec<T>(Vec<T>);

impl<T> KVVec<T> {
    /// An empty one without memory.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    fn wrap(table: Vec<T>) -> Self {
        if table.capacity() > 0 && size_of::<T>() > 0 {
            count(1);
        }
        Self(table)
    }

    /// ENOMEM.
    pub fn with_capacity(capacity: usize, _flags: Flags) -> Result<Self, AllocError> {
        if capacity > 0 && !allow() {
            return Err(AllocError);
        }
        let mut table = Vec::new();
        table.try_reserve_exact(capacity).map_err(|_| AllocError)?;
        Ok(Self::wrap(table))
    }

    /// Appends an entry, unless it is full.
    pub fn push_within_capacity(&mut self, value: T) -> core::result::Result<(), PushError<T>> {
        if self.0.len() == self.0.capacity() {
            return Err(PushError(value));
        }
        self.0.push(value);
        Ok(())
    }

    /// Takes the last entry.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }
}

impl<T: Clone> KVVec<T> {
    /// ENOMEM.
    pub fn from_elem(value: T, count: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut table = Self::with_capacity(count, flags)?;
        table.0.resize(count, value);
        Ok(table)
    }

    /// ENOMEM.
    pub fn extend_from_slice(&mut self, other: &[T], _flags: Flags) -> Result<(), AllocError> {
        let had = self.0.capacity();
        if self.0.len() + other.len() > had && !allow() {
            return Err(AllocError);
        }
        self.0.extend_from_slice(other);
        if had == 0 && self.0.capacity() > 0 {
            count(1);
        }
        Ok(())
    }
}

impl<T> Drop for KVVec<T> {
    fn drop(&mut self) {
        if self.0.capacity() > 0 && size_of::<T>() > 0 {
            count(-1);
        }
    }
}

impl<T> Deref for KVVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for KVVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
