// SPDX-License-Identifier: GPL-2.0

//! As `glue_task.c`.

use core::ffi::CStr;

use crate::{
    bindings::task_struct,
    error::code::ENOMEM,
    ffi::{c_char, c_int, c_void},
    sim::{self, machine},
};

/// Beyond this a time is for ever.
const FOR_EVER: u64 = i64::MAX as u64;

#[no_mangle]
pub extern "C" fn genp_now() -> u64 {
    machine().pass(37);
    machine().now()
}

#[no_mangle]
pub extern "C" fn genp_time_to_host(time: u64) -> u64 {
    time
}

#[no_mangle]
pub extern "C" fn genp_time_from_host(time: u64) -> u64 {
    time.min(FOR_EVER)
}

#[no_mangle]
pub unsafe extern "C" fn genp_task_get(task: *mut task_struct) {
    // SAFETY: see the top of `glue`.
    let task = unsafe { &*task };
    task.users.set(task.users.get() + 1);
}

#[no_mangle]
pub unsafe extern "C" fn genp_task_put(task: *mut task_struct) {
    // SAFETY: see the top of `glue`.
    let task = unsafe { &*task };
    task.users.set(task.users.get() - 1);
    if task.users.get() < 0 {
        sim::fail("a reference to a task is given up twice");
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_task_wake(task: *mut task_struct) {
    sim::point();
    // SAFETY: see the top of `glue`.
    if unsafe { (*task).users.get() } == 0 {
        sim::fail("a task is woken that may be gone");
    }
    machine().wake(task);
    // SAFETY: as above.
    if !unsafe { (*task).started.replace(true) } {
        machine().start(task);
    }
    sim::point();
}

#[no_mangle]
pub extern "C" fn genp_is_current(task: *const task_struct) -> bool {
    core::ptr::eq(task, machine().current())
}

#[no_mangle]
pub extern "C" fn genp_current_prio() -> c_int {
    machine().task().map_or(120, |task| task.prio.get())
}

fn uid() -> u32 {
    let process = machine().task().and_then(task_struct::process);
    process.map_or(0, |process| process.uid.get())
}

fn capable() -> bool {
    let process = machine().task().and_then(task_struct::process);
    process.is_none_or(|process| process.capable.get())
}

#[no_mangle]
pub extern "C" fn genp_current_euid() -> u32 {
    uid()
}

#[no_mangle]
pub extern "C" fn genp_current_egid() -> u32 {
    uid()
}

#[no_mangle]
pub extern "C" fn genp_in_group(gid: u32) -> bool {
    uid() == gid
}

#[no_mangle]
pub extern "C" fn genp_capable_resource() -> bool {
    capable()
}

#[no_mangle]
pub extern "C" fn genp_capable_override() -> bool {
    capable()
}

#[no_mangle]
pub extern "C" fn genp_prepare_sleep(interruptible: bool) {
    machine().prepare_sleep(interruptible);
}

#[no_mangle]
pub extern "C" fn genp_finish_sleep() {
    machine().finish_sleep();
}

#[no_mangle]
pub extern "C" fn genp_signal_pending() -> bool {
    machine().signal_pending()
}

#[no_mangle]
pub extern "C" fn genp_sleep(deadline: u64) -> bool {
    let deadline = if deadline >= FOR_EVER {
        u64::MAX
    } else {
        deadline
    };
    machine().sleep_until(deadline)
}

#[no_mangle]
pub extern "C" fn genp_cond_resched() {
    machine().might_sleep("cond_resched()");
    sim::point();
}

#[no_mangle]
pub unsafe extern "C" fn genp_thread_create(
    run: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    data: *mut c_void,
    name: *const c_char,
) -> *mut task_struct {
    let (Some(run), true) = (run, machine().may_allocate()) else {
        return ENOMEM.to_ptr();
    };
    // SAFETY: see the top of `glue`.
    let name = unsafe { CStr::from_ptr(name.cast()) }.to_string_lossy();
    machine().spawn(&name, true, move || {
        // SAFETY: what the thread was created with.
        unsafe { run(data) };
    })
}

#[no_mangle]
pub unsafe extern "C" fn genp_thread_fifo(task: *mut task_struct, priority: c_int) -> c_int {
    // SAFETY: see the top of `glue`.
    unsafe { (*task).prio.set(99 - priority) };
    0
}

#[no_mangle]
pub extern "C" fn genp_thread_should_stop() -> bool {
    sim::point();
    machine().task().is_some_and(|task| task.should_stop.get())
}

#[no_mangle]
pub unsafe extern "C" fn genp_thread_stop(task: *mut task_struct) {
    machine().might_sleep("kthread_stop()");
    // SAFETY: see the top of `glue`.
    let here = unsafe { &*task };
    here.should_stop.set(true);
    machine().wake(task);
    if here.started.replace(true) {
        machine().join(task);
    } else {
        // It never began, and never will.
        here.ended.set(true);
    }
}
