// SPDX-License-Identifier: GPL-2.0

//! Where drivers call in: the functions of `include/linux/genp.h`, which says for each
//! what it does, where it may be called, and what it costs.
//!
//! Each function turns pointers into references and hands on; nothing else. What is
//! taken and given in any context comes by way of `glue_stock.c`.
//!
//! # Safety
//!
//! All of them: `part`, `cache` and `elements` come from the function that makes one and
//! were not given up since; other pointers are valid for what the header says is read
//! or written there.

#![allow(clippy::missing_safety_doc)] // Said above, once for all.

mod objects;
mod pages;
mod partition;
mod range;

use core::mem::ManuallyDrop;

use kernel::{
    ffi::{c_int, c_void},
    prelude::*,
    sync::Arc,
};

use super::{
    abi::{genp_lease, genp_partition, genp_region, genp_request},
    errno::ESTALE,
    glue,
};
use crate::genp::{
    partition::{reasons_of, Ask, Borrower, Partition, Tenant},
    pool::Pool,
    stock::Refusal,
};

/// A partition of a driver's.
///
/// # Safety
///
/// As at the top of this file; nobody gives it up during `'a`.
unsafe fn partition<'a>(part: *mut genp_partition) -> &'a Partition {
    // SAFETY: what `lend` made of a reference: the file that was kept for the driver
    // keeps the partition alive.
    unsafe { &*part.cast::<Partition>() }
}

/// A reference to a driver's partition.
///
/// # Safety
///
/// As [`partition`].
unsafe fn counted(part: *mut genp_partition) -> Arc<Partition> {
    // SAFETY: points into an `Arc`, by `lend`; the reference of the partition's file
    // stays where it is.
    let file = ManuallyDrop::new(unsafe { Arc::from_raw(part.cast::<Partition>()) });
    Arc::clone(&file)
}

/// The pool: ENODEV while there is none.
fn pool() -> Result<ManuallyDrop<Arc<Pool>>> {
    // SAFETY: no precondition.
    let pool = unsafe { glue::genp_registered_pool() };
    if pool.is_null() {
        return Err(ENODEV);
    }
    // SAFETY: what `Device` registered. It goes when the module does, which drivers
    // that call in keep from going.
    Ok(ManuallyDrop::new(unsafe {
        Arc::from_raw(pool.cast::<Pool>())
    }))
}

/// What a call answers with.
fn answer(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// What a call answers with that returns a pointer.
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

/// What a driver wants to be called when its lease is recalled.
#[derive(Clone, Copy)]
pub(crate) struct Callback {
    call: unsafe extern "C" fn(*mut c_void, u64, u64),
    data: *mut c_void,
}

// SAFETY: a function of the driver's and what it shall get; by the header it is called
// in a thread of ours.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Callback {
    /// Asks for the lease `handle`. Context: thread; runs the driver's code.
    pub(crate) fn run(&self, handle: u64, expires: u64) {
        // SAFETY: the driver gave this function for this use, until its genp_return()
        // has returned, which waits for us.
        unsafe { (self.call)(self.data, handle, expires) }
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
    let done = partition.free_region(Tenant::Driver, handle);
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
    let call = request.recall.map(|call| Callback {
        call,
        data: request.data,
    });
    let frames = partition.pool().store.frames();
    let mut at = pages;
    let borrowed = reasons_of(request.reasons)
        .and_then(|reasons| {
            Ok(Ask {
                pages: request.nr_pages,
                deadline: request.deadline,
                term: partition.term(request.lease_ns)?,
                reasons,
                borrower: Borrower::Driver,
            })
        })
        .and_then(|ask| {
            partition.alive()?;
            partition.borrow_firmly(&ask, call, |frame| {
                // SAFETY: there is room for as many pages as were asked for, see the
                // top of this file, and the lease has so many frames.
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
    let done = partition.return_firmly(handle);
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
        .term(lease_ns)
        .and_then(|term| partition.renew_firmly(lease.handle, term));
    partition.count_misuse(&renewed);
    answer(renewed.map(|expires| lease.expires = expires))
}

/// The compiler compares the functions above with their prototypes.
const _: () = {
    let _ = if true { glue::genp_alloc } else { genp_alloc };
    let _ = if true { glue::genp_free } else { genp_free };
    let _ = if true { glue::genp_borrow } else { genp_borrow };
    let _ = if true { glue::genp_return } else { genp_return };
    let _ = if true { glue::genp_renew } else { genp_renew };
};
