// SPDX-License-Identifier: MIT OR Apache-2.0

//! The lock of a shared heap: a mutex of the C library, robust, with priority inheritance.
//! The list of what a thread holds, which the kernel reads when it dies, belongs to the C
//! library: no second one can be kept beside it.

use std::{io, mem::MaybeUninit, ptr};

use super::words::{Words, LOCK};

// The libc crate has neither for this system.
const PRIO_NONE: libc::c_int = 0;
const PRIO_INHERIT: libc::c_int = 1;

/// 0, or an error number.
fn check(answer: libc::c_int) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// The lock, in the memory of the heap.
#[derive(Clone, Copy)]
pub(super) struct Lock(*mut libc::pthread_mutex_t);

// SAFETY: the address of a mutex, which is for all threads.
unsafe impl Send for Lock {}
// SAFETY: as above.
unsafe impl Sync for Lock {}

/// The held lock.
pub(super) struct Guard {
    lock: Lock,
    /// Whoever had it before died with it.
    pub(super) inherited: bool,
}

impl Lock {
    pub(super) fn of(words: Words) -> Self {
        Self(words.address(LOCK).as_ptr().cast())
    }

    /// Makes it a lock, with priority inheritance or without: ENOTSUP if this system has
    /// none. Nobody else knows of it yet.
    pub(super) fn make(self, inherits: bool) -> io::Result<()> {
        let protocol = if inherits { PRIO_INHERIT } else { PRIO_NONE };
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: attributes that are initialized first, and 64 bytes of ours.
        unsafe {
            check(libc::pthread_mutexattr_init(attributes))?;
            let shared = libc::PTHREAD_PROCESS_SHARED;
            check(libc::pthread_mutexattr_setpshared(attributes, shared))?;
            let checking = libc::PTHREAD_MUTEX_ERRORCHECK;
            check(libc::pthread_mutexattr_settype(attributes, checking))?;
            let robust = libc::PTHREAD_MUTEX_ROBUST;
            check(libc::pthread_mutexattr_setrobust(attributes, robust))?;
            check(libc::pthread_mutexattr_setprotocol(attributes, protocol))?;
            ptr::write_bytes(self.0, 0, 1);
            check(libc::pthread_mutex_init(self.0, attributes))
        }
    }

    /// EDEADLK if this thread has it, ENOTRECOVERABLE if it was given up.
    pub(super) fn lock(self) -> io::Result<Guard> {
        // SAFETY: made before anybody knew of it.
        let answer = unsafe { libc::pthread_mutex_lock(self.0) };
        let inherited = answer == libc::EOWNERDEAD;
        if !inherited {
            check(answer)?;
        }
        Ok(Guard {
            lock: self,
            inherited,
        })
    }
}

impl Guard {
    /// What the dead one left is in order: others may have the lock again. Without this,
    /// letting it go makes it ENOTRECOVERABLE.
    pub(super) fn repaired(&mut self) {
        // SAFETY: we hold it.
        unsafe { libc::pthread_mutex_consistent(self.lock.0) };
        self.inherited = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: we hold it.
        unsafe { libc::pthread_mutex_unlock(self.lock.0) };
    }
}
