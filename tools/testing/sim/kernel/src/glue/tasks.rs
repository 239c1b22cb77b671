// SPDX-License-Identifier: GPL-2.0

//! As `glue_task.c`.

use core::ffi::CStr;

use crate::{
    bindings::{pid, task_struct},
    error::code::ENOMEM,
    ffi::{c_char, c_int, c_void},
    sim::{self, machine, process::Process},
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
pub extern "C" fn genp_uid_here(uid: u32) -> u32 {
    uid
}

/// Who has no process is the machine's first thread.
static NO_PROCESS: u8 = 0;

#[no_mangle]
pub extern "C" fn genp_creator_get() -> *mut pid {
    let process = machine().task().and_then(task_struct::process);
    match process {
        Some(process) => {
            process.creator.set(process.creator.get() + 1);
            core::ptr::from_ref(process).cast_mut().cast()
        }
        None => (&raw const NO_PROCESS).cast_mut().cast(),
    }
}

/// The process, unless it is [`NO_PROCESS`].
fn creator<'a>(creator: *mut pid) -> Option<&'a Process> {
    let none = core::ptr::eq(creator.cast_const().cast(), &raw const NO_PROCESS);
    // SAFETY: from `genp_creator_get`; processes live as long as the machine.
    (!none).then(|| unsafe { &*creator.cast_const().cast() })
}

#[no_mangle]
pub extern "C" fn genp_creator_put(pid: *mut pid) {
    let Some(process) = creator(pid) else {
        return;
    };
    process.creator.set(process.creator.get() - 1);
    if process.creator.get() < 0 {
        sim::fail("a reference to a creator is given up twice");
    }
}

#[no_mangle]
pub extern "C" fn genp_creator_here(pid: *mut pid) -> u32 {
    sim::point();
    creator(pid).map_or(1, |process| if process.killed.get() { 0 } else { 2 })
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
