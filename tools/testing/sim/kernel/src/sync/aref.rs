// SPDX-License-Identifier: GPL-2.0

//! References to what counts its own.

use core::{marker::PhantomData, mem::ManuallyDrop, ops::Deref, ptr::NonNull};

/// What counts its references.
pub unsafe trait AlwaysRefCounted {
    /// One more.
    fn inc_ref(&self);
    /// One less.
    unsafe fn dec_ref(obj: NonNull<Self>);
}

/// A reference.
pub struct ARef<T: AlwaysRefCounted>(NonNull<T>, PhantomData<T>);

// SAFETY: what is counted may be used from any thread.
unsafe impl<T: AlwaysRefCounted> Send for ARef<T> {}
// SAFETY: as above.
unsafe impl<T: AlwaysRefCounted> Sync for ARef<T> {}

impl<T: AlwaysRefCounted> ARef<T> {
    /// Takes a reference over.
    pub unsafe fn from_raw(ptr: NonNull<T>) -> Self {
        Self(ptr, PhantomData)
    }

    /// Gives it up.
    pub fn into_raw(me: Self) -> NonNull<T> {
        ManuallyDrop::new(me).0
    }
}

impl<T: AlwaysRefCounted> From<&T> for ARef<T> {
    fn from(of: &T) -> Self {
        of.inc_ref();
        Self(NonNull::from(of), PhantomData)
    }
}

impl<T: AlwaysRefCounted> Deref for ARef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it has a reference.
        unsafe { self.0.as_ref() }
    }
}

impl<T: AlwaysRefCounted> Drop for ARef<T> {
    fn drop(&mut self) {
        // SAFETY: gives up its own.
        unsafe { T::dec_ref(self.0) }
    }
}
