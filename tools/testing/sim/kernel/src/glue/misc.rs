// SPDX-License-Identifier: GPL-2.0

//! As `glue_misc.c`.

use crate::{
    error::code::ENOMEM,
    ffi::{c_int, c_void},
    sim::{machine, point},
};

#[no_mangle]
pub extern "C" fn genp_misc_register(registry: *mut c_void) -> c_int {
    if !machine().may_allocate() {
        return ENOMEM.to_errno();
    }
    machine().registered.set(registry);
    0
}

#[no_mangle]
pub extern "C" fn genp_registered() -> *mut c_void {
    point();
    machine().registered.get()
}

#[no_mangle]
pub extern "C" fn genp_misc_deregister() {
    machine().registered.set(core::ptr::null_mut());
}
