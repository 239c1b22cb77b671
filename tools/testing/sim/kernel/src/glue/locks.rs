// SPDX-License-Identifier: GPL-2.0

//! As `glue_lock.c`.

use crate::{
    bindings::{lock_class_key, raw_spinlock_t, rt_mutex},
    ffi::{c_char, c_ulong},
    sim::lockdep,
};

#[no_mangle]
pub unsafe extern "C" fn genp_raw_lock_init(
    lock: *mut raw_spinlock_t,
    name: *const c_char,
    _key: *mut lock_class_key,
) {
    // SAFETY: see the top of `glue`.
    unsafe { lock.write(raw_spinlock_t::new(lockdep::class(name))) }
}

#[no_mangle]
pub unsafe extern "C" fn genp_raw_lock(lock: *mut raw_spinlock_t) -> c_ulong {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.lock_raw();
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_raw_trylock(lock: *mut raw_spinlock_t, _flags: *mut c_ulong) -> bool {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.try_lock_raw()
}

#[no_mangle]
pub unsafe extern "C" fn genp_raw_unlock(lock: *mut raw_spinlock_t, _flags: c_ulong) {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.unlock_raw();
}

#[no_mangle]
pub unsafe extern "C" fn genp_raw_assert_held(lock: *mut raw_spinlock_t) {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.assert_held();
}

#[no_mangle]
pub unsafe extern "C" fn genp_pi_lock_init(
    lock: *mut rt_mutex,
    name: *const c_char,
    _key: *mut lock_class_key,
) {
    // SAFETY: see the top of `glue`.
    unsafe { lock.write(rt_mutex::new(lockdep::class(name))) }
}

#[no_mangle]
pub unsafe extern "C" fn genp_pi_lock(lock: *mut rt_mutex) {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.lock_mutex();
}

#[no_mangle]
pub unsafe extern "C" fn genp_pi_trylock(lock: *mut rt_mutex) -> bool {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.try_lock_mutex()
}

#[no_mangle]
pub unsafe extern "C" fn genp_pi_unlock(lock: *mut rt_mutex) {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.unlock_mutex();
}

#[no_mangle]
pub unsafe extern "C" fn genp_pi_assert_held(lock: *mut rt_mutex) {
    // SAFETY: see the top of `glue`.
    unsafe { &*lock }.assert_held();
}
