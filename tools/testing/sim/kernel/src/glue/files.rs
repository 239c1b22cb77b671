// SPDX-License-Identifier: GPL-2.0

//! As `glue_file.c`.

use crate::{
    bindings::{address_space, eventfd_ctx, file},
    error::code::{EBADF, EFAULT, EINVAL, ENFILE, ENOMEM},
    ffi::{c_char, c_int, c_uint, c_ulong, c_void},
    sim::{
        fail,
        files::{Kind, Life},
        machine, point, space,
        task::task_struct,
    },
    uaccess::accessible,
};

/// E2BIG, as `copy_struct_from_user()` says it.
const E2BIG: c_int = -7;

fn create(kind: Kind) -> *mut file {
    match machine().may_allocate() {
        true => machine().files.create(kind),
        false => ENFILE.to_ptr(),
    }
}

#[no_mangle]
pub extern "C" fn genp_file_create(_name: *const c_char, data: *mut c_void) -> *mut file {
    create(Kind::Partition(data))
}

#[no_mangle]
pub extern "C" fn genp_file_create_leases(_name: *const c_char, partition: *mut file) -> *mut file {
    create(Kind::Leases(partition))
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_restrict(partition: *mut file, rights: u32) -> *mut file {
    // SAFETY: see the top of `glue`.
    let here = unsafe { &*partition };
    // The memory of the file's own.
    if !machine().may_allocate() {
        return ENOMEM.to_ptr();
    }
    here.get();
    let restricted = create(Kind::Restricted(partition, rights));
    if (restricted as isize) < 0 {
        here.put();
    }
    restricted
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_get_active(file: *mut file) -> *mut file {
    point();
    // SAFETY: see the top of `glue`.
    let here = unsafe { &*file };
    match here.life.get() {
        Life::Open => {
            here.get();
            file
        }
        Life::Releasing => core::ptr::null_mut(),
        Life::Gone => fail("a reference is asked for of a file that is gone"),
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_put(file: *mut file) {
    // SAFETY: see the top of `glue`.
    unsafe { &*file }.put();
}

#[no_mangle]
pub extern "C" fn genp_next_files_table() -> c_ulong {
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_users(file: *mut file) -> c_ulong {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { (*file).count.get() as c_ulong }
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_put_now(file: *mut file) {
    // SAFETY: see the top of `glue`.
    unsafe { &*file }.put_now();
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_owner(file: *const file) -> *mut c_void {
    // SAFETY: see the top of `glue`.
    match unsafe { (*file).kind.get() } {
        Kind::Partition(data) => data,
        _ => core::ptr::null_mut(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_file_mapping(file: *mut file) -> *mut address_space {
    // SAFETY: see the top of `glue`.
    unsafe { (&raw const (*file).mapping).cast_mut() }
}

#[no_mangle]
pub unsafe extern "C" fn genp_zap(mapping: *mut address_space, offset: u64, length: u64) {
    // SAFETY: see the top of `glue`.
    space::zap(unsafe { &*mapping }, offset, length);
}

#[no_mangle]
pub extern "C" fn genp_eventfd_get(fd: c_int) -> *mut eventfd_ctx {
    let process = machine().task().and_then(task_struct::process);
    let Some(file) = process.and_then(|process| process.get(fd)) else {
        return EBADF.to_ptr();
    };
    let is_event = file.kind.get() == Kind::Event;
    if is_event {
        file.listen(1);
    }
    file.put();
    match is_event {
        true => core::ptr::from_ref(file).cast_mut(),
        false => EINVAL.to_ptr(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_eventfd_put(eventfd: *mut eventfd_ctx) {
    // SAFETY: see the top of `glue`.
    unsafe { &*eventfd }.listen(-1);
}

#[no_mangle]
pub unsafe extern "C" fn genp_eventfd_signal(eventfd: *mut eventfd_ctx) {
    machine().might_sleep("eventfd_signal()");
    // SAFETY: see the top of `glue`.
    let eventfd = unsafe { &*eventfd };
    if eventfd.life.get() == Life::Gone {
        fail("an eventfd is signalled that is gone");
    }
    eventfd.signals.set(eventfd.signals.get() + 1);
}

#[no_mangle]
pub unsafe extern "C" fn genp_copy_struct_in(
    to: *mut c_void,
    ours: usize,
    from: c_ulong,
    theirs: usize,
) -> c_int {
    if !accessible(from) {
        return EFAULT.to_errno();
    }
    let both = ours.min(theirs);
    // SAFETY: see the top of `glue`; addresses of programs are the simulation's.
    unsafe {
        for at in both..theirs {
            if (from as *const u8).add(at).read() != 0 {
                return E2BIG;
            }
        }
        core::ptr::copy_nonoverlapping(from as *const u8, to.cast(), both);
        to.cast::<u8>().add(both).write_bytes(0, ours - both);
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_copy_struct_out(
    to: c_ulong,
    theirs: usize,
    from: *const c_void,
    ours: usize,
) -> c_int {
    if !accessible(to) {
        return EFAULT.to_errno();
    }
    let both = ours.min(theirs);
    // SAFETY: as above.
    unsafe {
        core::ptr::copy_nonoverlapping(from.cast(), to as *mut u8, both);
        (to as *mut u8).add(both).write_bytes(0, theirs - both);
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_queue_length(queue: *mut c_void, most: c_uint) -> c_uint {
    // SAFETY: see the top of `glue`: it is the queue of a PollQueue.
    let queue = unsafe { &*queue.cast::<crate::sync::poll::PollCondVar>() };
    (queue.count() as c_uint).min(most)
}

#[no_mangle]
pub unsafe extern "C" fn genp_queue_has_any(queue: *mut c_void) -> bool {
    // SAFETY: as above.
    unsafe { &*queue.cast::<crate::sync::poll::PollCondVar>() }.has_any()
}

#[no_mangle]
pub unsafe extern "C" fn genp_queue_wake(queue: *mut c_void) {
    // SAFETY: as above.
    unsafe { &*queue.cast::<crate::sync::poll::PollCondVar>() }.wake_in_pieces();
}
