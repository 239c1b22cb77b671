// SPDX-License-Identifier: GPL-2.0

//! The entry points for drivers: the functions of `include/linux/genp.h`, which specifies
//! for each what it does, in which contexts it may be called, and what it costs.
//!
//! Each function turns pointers into references and calls the layers below; nothing else.
//! Pages are taken and given by way of `glue_stock.c`, blocks by way of `glue_blocks.c`.
//!
//! # Safety
//!
//! All functions: `part`, `cache` and `elements` come from the function that creates one
//! and were not given up since; other pointers are valid for what the header says is read
//! or written there.

#![allow(clippy::missing_safety_doc)] // Said above, once for all.

mod blocks;
mod objects;
mod pages;
mod partition;
mod placement;

use core::mem::ManuallyDrop;

use kernel::{
    ffi::{c_int, c_void},
    prelude::*,
    sync::Arc,
};

use super::{device::registry, partition_ioctl::reasons_of, same_prototypes};
use crate::genp::{
    core::owner::Owner,
    partition::{BorrowRequest, Partition},
    stock::Refusal,
    sys::{
        abi::{genp_lease, genp_partition, genp_region, genp_request},
        callback::Callback,
        errno::ESTALE,
    },
};

/// The partition of a driver.
///
/// # Safety
///
/// As at the top of this file; nobody gives it up during `'a`.
unsafe fn partition<'a>(part: *mut genp_partition) -> &'a Partition {
    // SAFETY: the pointer comes from `lend`; the file that was kept for the driver keeps
    // the partition alive.
    unsafe { &*part.cast::<Partition>() }
}

/// A reference to a driver's partition.
///
/// # Safety
///
/// As [`partition()`].
unsafe fn counted(part: *mut genp_partition) -> Arc<Partition> {
    // SAFETY: points into an `Arc`, by `lend`; the reference of the partition's file is
    // not given up here.
    let file = ManuallyDrop::new(unsafe { Arc::from_raw(part.cast::<Partition>()) });
    Arc::clone(&file)
}

/// The return value of a call.
fn answer(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// The return value of a call that returns a pointer.
fn pointer<T>(result: Result<*mut T>) -> *mut T {
    match result {
        Ok(pointer) => pointer,
        Err(error) => error.to_ptr(),
    }
}

fn refusal(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Foreign => EINVAL,
        Refusal::Stale => ESTALE,
    }
}

#[no_mangle]
unsafe extern "C" fn genp_alloc(
    part: *mut genp_partition,
    size: usize,
    align: usize,
    region: *mut genp_region,
) -> c_int {
    // SAFETY: see the top of this file.
    let partition = unsafe { partition(part) };
    let got = partition.alloc_for_driver(size, align);
    partition.count_misuse(&got);
    answer(got.map(|(address, handle)| {
        let filled = genp_region {
            addr: address as *mut c_void,
            size,
            handle,
        };
        // SAFETY: see the top of this file.
        unsafe { region.write(filled) };
    }))
}

#[no_mangle]
unsafe extern "C" fn genp_free(part: *mut genp_partition, region: *const genp_region) -> c_int {
    // SAFETY: see the top of this file.
    let (partition, handle) = unsafe { (partition(part), (*region).handle) };
    let done = partition.regions().free(Owner::Driver, handle);
    partition.count_misuse(&done);
    answer(done)
}

#[no_mangle]
unsafe extern "C" fn genp_borrow(
    part: *mut genp_partition,
    request: *const genp_request,
    pages: *mut *mut kernel::bindings::page,
    lease: *mut genp_lease,
) -> c_int {
    // SAFETY: see the top of this file.
    let (partition, request) = unsafe { (partition(part), &*request) };
    let call = request.recall.map(|call| {
        // SAFETY: by the header the function may be called until genp_return() of this
        // lease has returned.
        unsafe { Callback::new(call, request.data) }
    });
    let frames = partition.pool().free_frames.frames();
    let mut at = pages;
    let borrowed = reasons_of(request.reasons)
        .and_then(|reasons| {
            Ok(BorrowRequest {
                pages: request.nr_pages,
                deadline: request.deadline,
                term: partition.leases().term(request.lease_ns)?,
                reasons,
                owner: Owner::Driver,
            })
        })
        .and_then(|request| {
            partition.alive()?;
            partition.borrow_for_driver(&request, call, |frame| {
                // SAFETY: there is room for `nr_pages` pages, see the top of this file,
                // and the lease has as many frames.
                unsafe {
                    at.write(frames.page(frame));
                    at = at.add(1);
                }
            })
        });
    partition.count_misuse(&borrowed);
    answer(borrowed.map(|borrowed| {
        let filled = genp_lease {
            handle: borrowed.handle,
            expires: borrowed.expires,
        };
        // SAFETY: see the top of this file.
        unsafe { lease.write(filled) };
    }))
}

#[no_mangle]
unsafe extern "C" fn genp_return(part: *mut genp_partition, handle: u64) -> c_int {
    // SAFETY: see the top of this file.
    let partition = unsafe { partition(part) };
    let done = partition.return_for_driver(handle);
    partition.count_misuse(&done);
    answer(done)
}

#[no_mangle]
unsafe extern "C" fn genp_renew(
    part: *mut genp_partition,
    lease: *mut genp_lease,
    lease_ns: u64,
) -> c_int {
    // SAFETY: see the top of this file.
    let (partition, lease) = unsafe { (partition(part), &mut *lease) };
    let renewed = partition
        .leases()
        .term(lease_ns)
        .and_then(|term| partition.renew_for_driver(lease.handle, term));
    partition.count_misuse(&renewed);
    answer(renewed.map(|expires| lease.expires = expires))
}

same_prototypes!(genp_alloc, genp_free, genp_borrow, genp_return, genp_renew,);
