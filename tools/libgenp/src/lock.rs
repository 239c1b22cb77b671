// SPDX-License-Identifier: GPL-2.0

//! A mutex that lends its holder the priority of who waits. The standard library's
//! does not.

use std::{
    cell::UnsafeCell,
    io,
    ops::{Deref, DerefMut},
};

/// Data behind a mutex with priority inheritance.
pub(crate) struct PiMutex<T> {
    // Boxed, as the C library wants a mutex to stay where it is.
    mutex: Box<UnsafeCell<libc::pthread_mutex_t>>,
    data: UnsafeCell<T>,
}

// SAFETY: the mutex lets one thread at a time reach the data.
unsafe impl<T: Send> Send for PiMutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for PiMutex<T> {}

fn check(error: libc::c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

impl<T> PiMutex<T> {
    pub(crate) fn new(data: T) -> io::Result<Self> {
        let mutex = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        let mut attributes = std::mem::MaybeUninit::uninit();
        // SAFETY: the attributes are initialised first and destroyed last; the
        // mutex is in its box, and used by nobody yet.
        unsafe {
            check(libc::pthread_mutexattr_init(attributes.as_mut_ptr()))?;
            let made = check(libc::pthread_mutexattr_setprotocol(
                attributes.as_mut_ptr(),
                libc::PTHREAD_PRIO_INHERIT,
            ))
            .and_then(|()| check(libc::pthread_mutex_init(mutex.get(), attributes.as_ptr())));
            libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
            made?;
        }
        Ok(Self {
            mutex,
            data: UnsafeCell::new(data),
        })
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        // SAFETY: initialised in `new`. It fails only if this thread holds it,
        // which it never does: no guard leaves this library.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        Guard(self)
    }
}

impl<T> Drop for PiMutex<T> {
    fn drop(&mut self) {
        // SAFETY: nobody holds it, for there is no guard.
        unsafe { libc::pthread_mutex_destroy(self.mutex.get()) };
    }
}

/// The held mutex.
pub(crate) struct Guard<'a, T>(&'a PiMutex<T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: we hold the mutex.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the mutex.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this thread holds the mutex.
        unsafe { libc::pthread_mutex_unlock(self.0.mutex.get()) };
    }
}
