// SPDX-License-Identifier: GPL-2.0

//! As `glue_memory_error.c`.

use crate::{
    bindings::page,
    ffi::c_void,
    sim::{fail, machine, point},
};

#[no_mangle]
pub unsafe extern "C" fn genp_page_poisoned(page: *mut page) -> bool {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { (*page).poisoned.get() }
}

#[no_mangle]
pub extern "C" fn genp_phys_poisoned(_phys: u64) -> bool {
    point();
    false
}

#[no_mangle]
pub extern "C" fn genp_has_memory_failure() -> bool {
    true
}

#[no_mangle]
pub extern "C" fn genp_watch_memory_errors(data: *mut c_void) -> bool {
    machine().might_sleep("watching for memory errors");
    let watched = !machine().memory.untold.get();
    if watched && !machine().memory.watcher.replace(data).is_null() {
        fail("memory errors are watched for twice");
    }
    watched
}

#[no_mangle]
pub extern "C" fn genp_unwatch_memory_errors(data: *mut c_void) {
    let memory = &machine().memory;
    if memory.watcher.replace(core::ptr::null_mut()) != data {
        fail("memory errors are not watched for any longer, which they were not");
    }
    // Reports that are on their way.
    while memory.reports.get() > 0 {
        machine().sleep_for(1_000);
    }
}
