// SPDX-License-Identifier: MIT OR Apache-2.0

//! A mutex with priority inheritance. The mutex of the standard library has none,
//! and that of the C library takes four times as many instructions as this one when
//! it is uncontended.

use std::{
    cell::UnsafeCell,
    ops::{Deref, DerefMut},
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::thread;

/// Data behind a mutex with priority inheritance.
pub(crate) struct PiMutex<T> {
    /// A PI futex: 0, or the ID of the thread that holds it, and a bit if others wait.
    word: AtomicU32,
    data: UnsafeCell<T>,
}

// SAFETY: the mutex lets one thread at a time reach the data.
unsafe impl<T: Send> Send for PiMutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for PiMutex<T> {}

impl<T> PiMutex<T> {
    pub(crate) fn new(data: T) -> Self {
        Self {
            word: AtomicU32::new(0),
            data: UnsafeCell::new(data),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        let me = thread::id();
        // Acquire: pairs with the Release of the drop of the last guard.
        if self
            .word
            .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.futex(libc::FUTEX_LOCK_PI);
        }
        Guard { mutex: self, me }
    }

    /// Locks or unlocks in the kernel, with the same ordering as the fast paths.
    #[cold]
    fn futex(&self, operation: libc::c_int) {
        // An interrupted wait is repeated. No other error is possible: a thread never
        // locks a mutex that it holds, because no guard leaves this library, and only
        // unlocks one that it holds.
        // SAFETY: the word is there; nothing else is passed.
        while unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.word.as_ptr(),
                operation | libc::FUTEX_PRIVATE_FLAG,
                0,
                ptr::null::<libc::timespec>(),
            )
        } == -1
            // SAFETY: the calling thread's own errno.
            && matches!(unsafe { *libc::__errno_location() }, libc::EINTR | libc::EAGAIN)
        {}
    }
}

/// The held mutex.
pub(crate) struct Guard<'a, T> {
    mutex: &'a PiMutex<T>,
    me: u32,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we hold the mutex.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the mutex.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release: pairs with the Acquire of `lock`.
        if self
            .mutex
            .word
            .compare_exchange(self.me, 0, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            self.mutex.futex(libc::FUTEX_UNLOCK_PI);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_is_inside() {
        let mutex = PiMutex::new((0u64, 0u64));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for i in 0..5_000 {
                        let mut pair = mutex.lock();
                        assert_eq!(pair.0, pair.1);
                        pair.0 += 1;
                        if i % 100 == 0 {
                            // Makes the others wait in the kernel.
                            std::thread::yield_now();
                        }
                        pair.1 += 1;
                    }
                });
            }
        });
        assert_eq!(*mutex.lock(), (20_000, 20_000));
        assert_eq!(mutex.word.load(Ordering::Relaxed), 0);
    }
}
