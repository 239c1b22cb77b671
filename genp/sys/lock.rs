// SPDX-License-Identifier: GPL-2.0

//! The two locks GenP uses where those of the `kernel` crate do not suffice.
//!
//! [`RawLock`] spins with interrupts off on PREEMPT_RT as well. It may be taken in
//! any context but NMI; the work under it must have a bounded number of steps,
//! without sleeping, allocating or waking a wait queue.
//!
//! [`PiMutex`] sleeps and lends its holder the priority of its waiters, on kernels
//! without PREEMPT_RT too. Context: thread.

use kernel::{
    bindings,
    sync::lock::{Backend, Lock},
};

use super::glue;

/// Data behind a raw spinlock.
pub(crate) type RawLock<T> = Lock<T, Raw>;

/// Data behind a mutex with priority inheritance.
pub(crate) type PiMutex<T> = Lock<T, Pi>;

/// An initialiser of a [`RawLock`] with a lock class of its own.
macro_rules! new_raw_lock {
    ($value:expr, $name:literal) => {
        $crate::genp::sys::lock::RawLock::new(
            $value,
            ::kernel::c_str!($name),
            ::kernel::static_lock_class!(),
        )
    };
}
pub(crate) use new_raw_lock;

/// An initialiser of a [`PiMutex`] with a lock class of its own.
macro_rules! new_pi_mutex {
    ($value:expr, $name:literal) => {
        $crate::genp::sys::lock::PiMutex::new(
            $value,
            ::kernel::c_str!($name),
            ::kernel::static_lock_class!(),
        )
    };
}
pub(crate) use new_pi_mutex;

/// The backend of [`RawLock`].
pub(crate) struct Raw;

// SAFETY: a raw spinlock is held by one CPU at a time, from lock to unlock.
unsafe impl Backend for Raw {
    type State = bindings::raw_spinlock_t;
    /// The interrupt flags from before.
    type GuardState = kernel::ffi::c_ulong;

    unsafe fn init(
        ptr: *mut Self::State,
        name: *const kernel::ffi::c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: by the precondition of `init`: room for a lock, and a name and a key
        // that live as long as it does.
        unsafe { glue::genp_raw_lock_init(ptr, name, key) }
    }

    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState {
        // SAFETY: the caller has initialised the lock.
        unsafe { glue::genp_raw_lock(ptr) }
    }

    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState> {
        let mut flags = 0;
        // SAFETY: the caller has initialised the lock; `flags` is a local variable.
        unsafe { glue::genp_raw_trylock(ptr, &mut flags) }.then_some(flags)
    }

    unsafe fn unlock(ptr: *mut Self::State, guard_state: &Self::GuardState) {
        // SAFETY: the caller holds the lock, taken with these flags.
        unsafe { glue::genp_raw_unlock(ptr, *guard_state) }
    }

    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // Without lockdep the call does nothing, and would cost more than taking the lock.
        #[cfg(CONFIG_LOCKDEP)]
        // SAFETY: the caller has initialised the lock.
        unsafe {
            glue::genp_raw_assert_held(ptr)
        }
        #[cfg(not(CONFIG_LOCKDEP))]
        let _ = ptr;
    }
}

/// The backend of [`PiMutex`].
pub(crate) struct Pi;

// SAFETY: an rt_mutex is held by one thread at a time, from lock to unlock.
unsafe impl Backend for Pi {
    type State = bindings::rt_mutex;
    type GuardState = ();

    unsafe fn init(
        ptr: *mut Self::State,
        name: *const kernel::ffi::c_char,
        key: *mut bindings::lock_class_key,
    ) {
        // SAFETY: by the precondition of `init`: room for a lock, and a name and a key
        // that live as long as it does.
        unsafe { glue::genp_pi_lock_init(ptr, name, key) }
    }

    unsafe fn lock(ptr: *mut Self::State) {
        // SAFETY: the caller has initialised the lock.
        unsafe { glue::genp_pi_lock(ptr) }
    }

    unsafe fn try_lock(ptr: *mut Self::State) -> Option<()> {
        // SAFETY: the caller has initialised the lock.
        unsafe { glue::genp_pi_trylock(ptr) }.then_some(())
    }

    unsafe fn unlock(ptr: *mut Self::State, (): &()) {
        // SAFETY: the caller holds the lock.
        unsafe { glue::genp_pi_unlock(ptr) }
    }

    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: the caller has initialised the lock.
        unsafe { glue::genp_pi_assert_held(ptr) }
    }
}
