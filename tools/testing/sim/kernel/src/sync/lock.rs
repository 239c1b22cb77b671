// SPDX-License-Identifier: GPL-2.0

//! Data behind locks.

use core::{
    cell::UnsafeCell,
    ops::{Deref, DerefMut},
    pin::Pin,
};

use pin_init::{pin_init_from_closure, PinInit};

use super::LockClassKey;
use crate::{
    bindings::{lock_class_key, rt_mutex},
    ffi::c_char,
    glue::locks,
    str::{CStr, CStrExt},
};

/// A kind of lock.
pub unsafe trait Backend {
    /// Of the lock.
    type State;
    /// Of its holder.
    type GuardState;
    /// Makes one.
    unsafe fn init(ptr: *mut Self::State, name: *const c_char, key: *mut lock_class_key);
    /// Takes it.
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState;
    /// Takes it if it is free.
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState>;
    /// Gives it up.
    unsafe fn unlock(ptr: *mut Self::State, guard_state: &Self::GuardState);
    /// Complains unless the caller has it.
    unsafe fn assert_is_held(ptr: *mut Self::State);
}

/// Data behind a lock.
pub struct Lock<T: ?Sized, B: Backend> {
    state: UnsafeCell<B::State>,
    data: UnsafeCell<T>,
}

// SAFETY: as in the kernel's crate.
unsafe impl<T: ?Sized + Send, B: Backend> Send for Lock<T, B> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send, B: Backend> Sync for Lock<T, B> {}

impl<T, B: Backend> Lock<T, B> {
    /// An initialiser.
    pub fn new(
        value: impl PinInit<T>,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        // SAFETY: both fields are initialised.
        unsafe {
            pin_init_from_closure(move |slot: *mut Self| {
                B::init(
                    (&raw mut (*slot).state).cast(),
                    name.as_char_ptr(),
                    key.as_ptr(),
                );
                value.__pinned_init((&raw mut (*slot).data).cast())
            })
        }
    }
}

impl<T: ?Sized, B: Backend> Lock<T, B> {
    /// Takes it.
    pub fn lock(&self) -> Guard<'_, T, B> {
        // SAFETY: it was initialised.
        let state = unsafe { B::lock(self.state.get()) };
        // SAFETY: taken above.
        unsafe { B::assert_is_held(self.state.get()) };
        Guard { lock: self, state }
    }

    /// Takes it if it is free.
    pub fn try_lock(&self) -> Option<Guard<'_, T, B>> {
        // SAFETY: it was initialised.
        let state = unsafe { B::try_lock(self.state.get()) }?;
        Some(Guard { lock: self, state })
    }
}

/// A lock that is held.
pub struct Guard<'a, T: ?Sized, B: Backend> {
    lock: &'a Lock<T, B>,
    state: B::GuardState,
}

impl<T: ?Sized, B: Backend> Guard<'_, T, B> {
    /// Does something without the lock.
    pub(crate) fn do_unlocked<U>(&mut self, work: impl FnOnce() -> U) -> U {
        // SAFETY: held, and taken again below.
        unsafe { B::unlock(self.lock.state.get(), &self.state) };
        let done = work();
        // SAFETY: it was initialised.
        self.state = unsafe { B::lock(self.lock.state.get()) };
        done
    }
}

impl<T: ?Sized, B: Backend> Deref for Guard<'_, T, B> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized, B: Backend> DerefMut for Guard<'_, T, B> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized, B: Backend> Drop for Guard<'_, T, B> {
    fn drop(&mut self) {
        // SAFETY: the lock is held.
        unsafe { B::unlock(self.lock.state.get(), &self.state) }
    }
}

/// The kernel's mutex.
pub struct MutexBackend;

// SAFETY: one task holds it at a time.
unsafe impl Backend for MutexBackend {
    type State = rt_mutex;
    type GuardState = ();

    unsafe fn init(ptr: *mut rt_mutex, name: *const c_char, key: *mut lock_class_key) {
        // SAFETY: by the precondition.
        unsafe { locks::genp_pi_lock_init(ptr, name, key) }
    }

    unsafe fn lock(ptr: *mut rt_mutex) {
        // SAFETY: by the precondition.
        unsafe { locks::genp_pi_lock(ptr) }
    }

    unsafe fn try_lock(ptr: *mut rt_mutex) -> Option<()> {
        // SAFETY: by the precondition.
        unsafe { locks::genp_pi_trylock(ptr) }.then_some(())
    }

    unsafe fn unlock(ptr: *mut rt_mutex, (): &()) {
        // SAFETY: by the precondition.
        unsafe { locks::genp_pi_unlock(ptr) }
    }

    unsafe fn assert_is_held(ptr: *mut rt_mutex) {
        // SAFETY: by the precondition.
        unsafe { locks::genp_pi_assert_held(ptr) }
    }
}

/// Data behind a mutex.
pub type Mutex<T> = Lock<T, MutexBackend>;
