// SPDX-License-Identifier: GPL-2.0

//! Pages of the atomic stock.

use kernel::{
    bindings::page,
    ffi::{c_int, c_uint},
};

use super::{answer, partition, refusal, same_prototypes};
use crate::genp::{
    stock::Refusal,
    sys::{
        abi::{self, genp_partition},
        cpu::CurrentCpu,
        glue,
    },
};

/// Takes a page of the partition's stock, or returns NULL.
#[no_mangle]
unsafe extern "C" fn genp_page_take(part: *mut genp_partition, cpu: c_uint) -> *mut page {
    // SAFETY: see the top of `capi`; `glue_stock.c` keeps preemption off meanwhile.
    let (partition, cpu) = unsafe { (partition(part), CurrentCpu::new(cpu)) };
    partition.stock().take_page(&cpu).unwrap_or(0) as *mut page
}

/// Takes another page if there is a memory error in this one, and does what the flags ask
/// for: takes a page of the emergency stock if there was none, and zeroes the page.
#[no_mangle]
unsafe extern "C" fn genp_page_prepare(
    part: *mut genp_partition,
    mut page: *mut page,
    flags: c_uint,
) -> *mut page {
    let mut zero = flags & abi::GENP_ZERO != 0;
    // SAFETY: a page that was taken of the stock, whose slot it has.
    if !page.is_null() && unsafe { glue::genp_page_poisoned(page) } {
        // SAFETY: as above, and see the top of `capi`.
        let (part, slot) = unsafe { (partition(part), glue::genp_page_slot(page)) };
        page = part.stock().replace_page(slot).unwrap_or(0) as *mut _;
    }
    if page.is_null() && flags & abi::GENP_EMERGENCY != 0 {
        // SAFETY: see the top of `capi`.
        page = unsafe { partition(part) }
            .stock()
            .take_emergency_page()
            .unwrap_or(0) as *mut _;
        // It may contain data of another partition.
        zero = true;
    }
    if !page.is_null() && zero {
        // SAFETY: a page of the pool, which only the caller has.
        unsafe { glue::genp_zero_page(page) };
    }
    page
}

/// Counts a call with wrong arguments; returns NULL.
#[no_mangle]
unsafe extern "C" fn genp_page_refuse(part: *mut genp_partition) -> *mut page {
    // SAFETY: see the top of `capi`.
    let _ = unsafe { partition(part) }.refuse(Refusal::Foreign);
    core::ptr::null_mut()
}

/// Gives a page back whose `page_private()` is `slot`.
#[no_mangle]
unsafe extern "C" fn genp_page_give(
    part: *mut genp_partition,
    page: *mut page,
    slot: usize,
    cpu: c_uint,
) -> c_int {
    // SAFETY: see the top of `capi`; `glue_stock.c` keeps preemption off meanwhile.
    let (partition, cpu) = unsafe { (partition(part), CurrentCpu::new(cpu)) };
    match partition.give_page(page as usize, slot, &cpu) {
        Ok(()) => 0,
        Err(why) => answer(Err(refusal(why))),
    }
}

same_prototypes!(
    genp_page_take,
    genp_page_prepare,
    genp_page_refuse,
    genp_page_give,
);
