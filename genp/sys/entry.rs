// SPDX-License-Identifier: GPL-2.0

//! Where the kernel calls in, by way of the tables of operations in C.
//!
//! Each function turns pointers into references and hands on; nothing else.
//!
//! # Safety
//!
//! All of them: called by the tables of operations, with what the kernel gave
//! those; `data` is the private data of a partition's file or window, `pool` what
//! the device was registered with.

#![allow(clippy::missing_safety_doc)] // Said above, once for all.

use kernel::{
    bindings,
    error::{from_result, Result},
    ffi::{c_int, c_long, c_uint, c_ulong, c_void},
    fs::File,
    mm::virt::VmaNew,
    seq_file::SeqFile,
    sync::{poll::PollTable, Arc},
};

use super::{
    glue,
    thread::Bell,
    user::{UserArg, UserRecords},
    vma::{LeaseVma, WindowKey},
};
use crate::genp::{overview, partition::Partition, pool::Pool};

/// The partition of a file.
///
/// # Safety
///
/// `data` is the private data of a partition's file, which is there for `'a`.
unsafe fn partition<'a>(data: *mut c_void) -> &'a Partition {
    // SAFETY: the file owns a reference, from its creation to its release.
    unsafe { &*data.cast::<Partition>() }
}

/// An answer of a call that gives a number.
fn answer(result: Result<i64>) -> c_long {
    match result {
        Ok(value) => value as c_long,
        Err(error) => error.to_errno() as c_long,
    }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_mmap(
    data: *mut c_void,
    vma: *mut bindings::vm_area_struct,
) -> c_int {
    // SAFETY: called by the file's mmap.
    let partition = unsafe { partition(data) };
    // SAFETY: called by the file's mmap, where `vma` is being made.
    let vma = unsafe { VmaNew::from_raw(vma) };
    from_result(|| partition.mmap(vma).map(|()| 0))
}

#[no_mangle]
unsafe extern "C" fn genp_partition_ioctl(data: *mut c_void, nr: c_uint, arg: c_ulong) -> c_long {
    // SAFETY: called by the file's ioctl.
    let partition = unsafe { partition(data) };
    answer(partition.ioctl(nr, UserArg::new(arg)))
}

#[no_mangle]
unsafe extern "C" fn genp_partition_read(
    data: *mut c_void,
    to: c_ulong,
    size: usize,
    nonblock: bool,
) -> isize {
    // SAFETY: called by the file's read.
    let partition = unsafe { partition(data) };
    let read = partition.read(UserRecords::new(to, size), nonblock);
    answer(read.map(|bytes| bytes as i64)) as isize
}

#[no_mangle]
unsafe extern "C" fn genp_partition_poll(
    data: *mut c_void,
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> c_uint {
    // SAFETY: called by the file's poll.
    let partition = unsafe { partition(data) };
    // SAFETY: the file is being polled, so it is there, and it is a stream, which
    // nobody holds by fdget_pos.
    let file = unsafe { File::from_raw_file(file) };
    // SAFETY: null or valid during the call, as the file's poll gets it.
    let table = unsafe { PollTable::from_raw(table) };
    partition.poll(file, table)
}

#[no_mangle]
unsafe extern "C" fn genp_partition_show(data: *mut c_void, m: *mut bindings::seq_file) {
    // SAFETY: called by the file's show_fdinfo.
    let partition = unsafe { partition(data) };
    // SAFETY: as above; the seq_file is there during the call.
    partition.show(unsafe { SeqFile::from_raw(m) });
}

#[no_mangle]
unsafe extern "C" fn genp_partition_release(data: *mut c_void) {
    // SAFETY: called once, by the file's release: takes the file's reference back.
    let partition = unsafe { Arc::from_raw(data.cast::<Partition>()) };
    partition.close();
}

#[no_mangle]
unsafe extern "C" fn genp_window_fault(
    data: *mut c_void,
    vma: *mut bindings::vm_area_struct,
    page: c_ulong,
) -> bool {
    // SAFETY: called for a lease window, whose mapping holds the file.
    let partition = unsafe { partition(data) };
    // SAFETY: a lease window, held still by the page fault.
    let vma = unsafe { LeaseVma::new(vma) };
    match u32::try_from(page) {
        Ok(page) => partition.fault(&vma, page),
        Err(_) => false,
    }
}

#[no_mangle]
unsafe extern "C" fn genp_window_closed(data: *mut c_void, mm: c_ulong, start: c_ulong) {
    // SAFETY: called for a lease window, whose mapping still holds the file.
    let partition = unsafe { partition(data) };
    partition.closed(WindowKey::new(mm, start));
}

#[no_mangle]
unsafe extern "C" fn genp_control_ioctl(pool: *mut c_void, nr: c_uint, arg: c_ulong) -> c_long {
    // SAFETY: what `Device` registered, which lives until it is deregistered and
    // no file of the device is open.
    let pool = core::mem::ManuallyDrop::new(unsafe { Arc::from_raw(pool.cast::<Pool>()) });
    answer(crate::genp::control::ioctl(&pool, nr, &UserArg::new(arg)))
}

#[no_mangle]
unsafe extern "C" fn genp_attribute(pool: *mut c_void, which: c_uint) -> u64 {
    // SAFETY: as above; the attributes go with the device.
    let pool = unsafe { &*pool.cast::<Pool>() };
    overview::attribute(pool, which)
}

#[no_mangle]
pub(super) unsafe extern "C" fn genp_thread_run(data: *mut c_void) -> c_int {
    // SAFETY: called for a thread that `Thread::spawn` made, with its data.
    unsafe { super::thread::run(data) };
    0
}

#[no_mangle]
unsafe extern "C" fn genp_bell_ring(bell: *mut c_void) {
    // SAFETY: called for the bell of an `IrqBell`, which lives until the last call.
    unsafe { &*bell.cast::<Bell>() }.ring();
}

/// The compiler compares the functions above with their prototypes in `glue.h`: C
/// calls the ones, Rust defines the others.
const _: () = {
    let _ = if true {
        glue::genp_partition_mmap
    } else {
        genp_partition_mmap
    };
    let _ = if true {
        glue::genp_partition_ioctl
    } else {
        genp_partition_ioctl
    };
    let _ = if true {
        glue::genp_partition_read
    } else {
        genp_partition_read
    };
    let _ = if true {
        glue::genp_partition_poll
    } else {
        genp_partition_poll
    };
    let _ = if true {
        glue::genp_partition_show
    } else {
        genp_partition_show
    };
    let _ = if true {
        glue::genp_partition_release
    } else {
        genp_partition_release
    };
    let _ = if true {
        glue::genp_window_fault
    } else {
        genp_window_fault
    };
    let _ = if true {
        glue::genp_window_closed
    } else {
        genp_window_closed
    };
    let _ = if true {
        glue::genp_control_ioctl
    } else {
        genp_control_ioctl
    };
    let _ = if true {
        glue::genp_attribute
    } else {
        genp_attribute
    };
    let _ = if true {
        glue::genp_thread_run
    } else {
        genp_thread_run
    };
    let _ = if true {
        glue::genp_bell_ring
    } else {
        genp_bell_ring
    };
};
