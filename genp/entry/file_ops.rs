// SPDX-License-Identifier: GPL-2.0

//! The file of a partition: the entry points that the tables of operations in
//! `glue_file.c` and `glue_vma.c` call.
//!
//! # Safety
//!
//! All functions: called by those tables, with the arguments that the kernel passed;
//! `data` is the private data of a partition's file or lease window.

#![allow(clippy::missing_safety_doc)] // Said above, once for all.

use kernel::{
    bindings,
    error::from_result,
    ffi::{c_int, c_long, c_uint, c_ulong, c_void},
    fs::File,
    mm::virt::VmaNew,
    seq_file::SeqFile,
    sync::{poll::PollTable, Arc},
};

use super::{fdinfo, partition_ioctl, same_prototypes, to_long};
use crate::genp::{
    partition::{Partition, Rights},
    sys::{
        abi,
        file::FileOwner,
        time,
        user::{UserArg, UserRecords},
        vma::{LeaseVma, ReserveFault, WindowKey},
    },
};

// SAFETY: all functions below use the private data as a pointer to a partition, and
// `genp_partition_release` takes the file's reference back.
unsafe impl FileOwner for Partition {}

/// The partition of a file.
///
/// # Safety
///
/// `data` is the private data of a partition's file, which exists during `'a`.
unsafe fn partition<'a>(data: *mut c_void) -> &'a Partition {
    // SAFETY: the file owns a reference, from its creation to its release.
    unsafe { &*data.cast::<Partition>() }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_mmap(
    data: *mut c_void,
    rights: u32,
    vma: *mut bindings::vm_area_struct,
) -> c_int {
    // SAFETY: called by the file's mmap.
    let partition = unsafe { partition(data) };
    // SAFETY: called by the file's mmap, where `vma` is being made.
    let vma = unsafe { VmaNew::from_raw(vma) };
    from_result(|| {
        let answer = Rights::from_bits(rights).and_then(|rights| partition.mmap(rights, vma));
        partition.count_misuse(&answer);
        answer.map(|()| 0)
    })
}

#[no_mangle]
unsafe extern "C" fn genp_partition_ioctl(
    data: *mut c_void,
    rights: u32,
    nr: c_uint,
    arg: c_ulong,
) -> c_long {
    // SAFETY: called by the file's ioctl.
    let partition = unsafe { partition(data) };
    let answer = Rights::from_bits(rights)
        .and_then(|rights| partition_ioctl::ioctl(partition, rights, nr, &UserArg::new(arg)));
    partition.count_misuse(&answer);
    to_long(answer.map(|()| 0))
}

/// A record with the times of the reader's clock.
fn for_reader(record: &abi::genp_event) -> abi::genp_event {
    let value = match record.type_ {
        abi::GENP_EVENT_RECALLED => time::from_host(record.value),
        _ => record.value,
    };
    abi::genp_event {
        time: time::from_host(record.time),
        value,
        ..*record
    }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_read(
    data: *mut c_void,
    rights: u32,
    to: c_ulong,
    size: usize,
    nonblock: bool,
) -> isize {
    // SAFETY: called by the file's read.
    let partition = unsafe { partition(data) };
    let mut out = UserRecords::new(to, size);
    let answer = Rights::from_bits(rights)
        .and_then(|rights| rights.require(Rights::EVENTS))
        .and_then(|()| {
            partition
                .events()
                .read(size, nonblock, |record| out.write(&for_reader(record)))
        });
    partition.count_misuse(&answer);
    to_long(answer.map(|bytes| bytes as i64)) as isize
}

#[no_mangle]
unsafe extern "C" fn genp_partition_poll(
    data: *mut c_void,
    rights: u32,
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> c_uint {
    // SAFETY: called by the file's poll.
    let partition = unsafe { partition(data) };
    // SAFETY: the file is being polled, so it exists; it is a stream, so no fdget_pos()
    // of it is active.
    let file = unsafe { File::from_raw_file(file) };
    let events = partition.events();
    if !table.is_null() {
        // SAFETY: the argument of the file's poll, valid during the call.
        let table = unsafe { PollTable::from_raw(table) };
        let first = Rights::from_bits(rights).and_then(|rights| rights.require(Rights::EVENTS));
        events.join(file, table, first.is_ok());
    }
    events.poll()
}

#[no_mangle]
unsafe extern "C" fn genp_partition_show(data: *mut c_void, m: *mut bindings::seq_file) {
    // SAFETY: called by the file's show_fdinfo.
    let partition = unsafe { partition(data) };
    // SAFETY: as above; the seq_file exists during the call.
    fdinfo::show(partition, unsafe { SeqFile::from_raw(m) });
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
) -> c_uint {
    // SAFETY: called for a lease window, whose mapping holds the file.
    let partition = unsafe { partition(data) };
    // SAFETY: a lease window, which cannot change during the page fault.
    let vma = unsafe { LeaseVma::new(vma) };
    match u32::try_from(page) {
        Ok(page) => partition.leases().window().fault(&vma, page),
        Err(_) => 0,
    }
}

#[no_mangle]
unsafe extern "C" fn genp_window_access(
    data: *mut c_void,
    page: c_ulong,
    offset: c_uint,
    buffer: *mut c_void,
    bytes: c_uint,
    write: bool,
) -> bool {
    // SAFETY: called for a lease window, whose mapping holds the file.
    let partition = unsafe { partition(data) };
    let Ok(page) = u32::try_from(page) else {
        return false;
    };
    partition
        .leases()
        .window()
        .with_frame(page, |frames, frame| {
            // SAFETY: the window's access is given a buffer of the kernel's for itself.
            unsafe { frames.copy(frame, offset, buffer, bytes, write) }
        })
        .unwrap_or(false)
}

#[no_mangle]
unsafe extern "C" fn genp_reserve_fault(
    data: *mut c_void,
    vmf: *mut bindings::vm_fault,
    page: c_ulong,
) -> c_uint {
    // SAFETY: called for a mapping of the reserve, which holds the file.
    let partition = unsafe { partition(data) };
    // SAFETY: such a page fault, during the call.
    let fault = unsafe { ReserveFault::new(vmf) };
    partition.reserve().fault(page, &fault)
}

#[no_mangle]
unsafe extern "C" fn genp_window_closed(data: *mut c_void, mm: c_ulong, start: c_ulong) {
    // SAFETY: called for a lease window, whose mapping still holds the file.
    let partition = unsafe { partition(data) };
    partition
        .leases()
        .window()
        .closed(WindowKey::new(mm, start));
}

same_prototypes!(
    genp_partition_mmap,
    genp_partition_ioctl,
    genp_partition_read,
    genp_partition_poll,
    genp_partition_show,
    genp_partition_release,
    genp_window_fault,
    genp_window_access,
    genp_window_closed,
    genp_reserve_fault,
);
