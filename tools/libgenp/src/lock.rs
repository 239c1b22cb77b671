// SPDX-License-Identifier: MIT OR Apache-2.0

//! A mutex with priority inheritance. The mutex of the standard library has none,
//! and that of the C library takes four times as many instructions as this one when
//! it is uncontended.

use std::{
    cell::UnsafeCell,
    io,
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
    pub(crate) const fn new(data: T) -> Self {
        Self {
            word: AtomicU32::new(0),
            data: UnsafeCell::new(data),
        }
    }

    /// EDEADLK if the caller holds it already: it is a signal handler that interrupted
    /// its own thread there.
    #[inline]
    pub(crate) fn lock(&self) -> io::Result<Guard<'_, T>> {
        let me = thread::id();
        // Acquire: pairs with the Release of the drop of the last guard.
        if self
            .word
            .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.lock_slowly(me)?;
        }
        Ok(Guard { mutex: self, me })
    }

    /// Locks in the kernel, which lends our priority to the holder.
    #[cold]
    fn lock_slowly(&self, me: u32) -> io::Result<()> {
        match self.is_held_by(me) {
            true => Err(io::Error::from_raw_os_error(libc::EDEADLK)),
            false => self.futex(libc::FUTEX_LOCK_PI),
        }
    }

    /// Whether the caller holds it, as a signal handler may find.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held_by(thread::id())
    }

    /// Forgets who holds it. Context: a forked child, which has no other thread.
    pub(crate) fn forget(&self) {
        self.word.store(0, Ordering::Relaxed);
    }

    /// The guard that this thread kept.
    ///
    /// # Safety
    ///
    /// The calling thread called [`Guard::keep`] and has not been here since.
    pub(crate) unsafe fn kept(&self) -> Guard<'_, T> {
        Guard {
            mutex: self,
            me: thread::id(),
        }
    }

    /// Gives what the forking thread holds to the only thread of its child. Context: a
    /// forked child.
    pub(crate) fn hand_on(&self) {
        self.word.store(thread::id(), Ordering::Relaxed);
    }

    fn is_held_by(&self, thread: u32) -> bool {
        // Relaxed: what the calling thread itself wrote, or somebody else's number.
        self.word.load(Ordering::Relaxed) & libc::FUTEX_TID_MASK == thread
    }

    /// Locks or unlocks in the kernel, with the same ordering as the fast paths.
    ///
    /// An interrupted wait is repeated. Other errors are the caller's: nothing is locked
    /// then.
    #[cold]
    fn futex(&self, operation: libc::c_int) -> io::Result<()> {
        loop {
            // SAFETY: the word is there; nothing else is passed.
            let answer = unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.word.as_ptr(),
                    operation | libc::FUTEX_PRIVATE_FLAG,
                    0,
                    ptr::null::<libc::timespec>(),
                )
            };
            if answer != -1 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if !matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN)) {
                return Err(error);
            }
        }
    }
}

/// The held mutex.
pub(crate) struct Guard<'a, T> {
    mutex: &'a PiMutex<T>,
    me: u32,
}

impl<T> Guard<'_, T> {
    /// Whether another thread waits for the mutex.
    pub(crate) fn is_wanted(&self) -> bool {
        self.mutex.word.load(Ordering::Relaxed) & libc::FUTEX_WAITERS != 0
    }

    /// Leaves the mutex locked until [`PiMutex::kept`].
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
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
            // We hold it, so that no error is possible.
            let _ = self.mutex.futex(libc::FUTEX_UNLOCK_PI);
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
                        let mut pair = mutex.lock().unwrap();
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
        assert_eq!(*mutex.lock().unwrap(), (20_000, 20_000));
        assert_eq!(mutex.word.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn who_holds_it_is_refused() {
        let mutex = PiMutex::new(0);
        let guard = mutex.lock().unwrap();
        assert!(mutex.is_held());
        let error = mutex.lock().err().unwrap();
        assert_eq!(error.raw_os_error(), Some(libc::EDEADLK));
        // Also when others wait, which is a bit in the word.
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(*mutex.lock().unwrap(), 0));
            while mutex.word.load(Ordering::Relaxed) & libc::FUTEX_WAITERS == 0 {
                std::thread::yield_now();
            }
            assert!(mutex.is_held() && mutex.lock().is_err());
            drop(guard);
        });
        assert!(!mutex.is_held());
    }
}
