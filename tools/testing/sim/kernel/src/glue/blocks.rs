// SPDX-License-Identifier: GPL-2.0

//! As `glue_blocks.c`. How the module is loaded is said without a parameter.

use super::{irq, pages::genp_alloc_page, pages::genp_free_page};
use crate::{
    bindings::page,
    ffi::{c_char, c_int, c_uint, c_ulong, c_void},
};

unsafe extern "C" {
    fn genp_block_take(part: *mut c_void, order: c_uint, cpu: c_uint) -> *mut page;
    fn genp_block_prepare(
        part: *mut c_void,
        block: *mut page,
        order: c_uint,
        flags: c_uint,
    ) -> *mut page;
    fn genp_block_give(
        part: *mut c_void,
        block: *mut page,
        slot: c_ulong,
        order: c_uint,
        cpu: c_uint,
    ) -> c_int;
    fn genp_page_refuse(part: *mut c_void) -> *mut page;
}

const ZERO: c_uint = 2;
const ORDERS: c_uint = 11;

#[no_mangle]
pub unsafe extern "C" fn genp_blocks_parameter(length: *mut usize) -> *const c_char {
    // SAFETY: see the top of `glue`.
    unsafe { *length = 0 };
    c"".as_ptr().cast()
}

#[no_mangle]
pub unsafe extern "C" fn genp_alloc_pages(
    part: *mut c_void,
    order: c_uint,
    flags: c_uint,
) -> *mut page {
    // SAFETY: see the top of `glue`.
    unsafe {
        if order == 0 {
            return genp_alloc_page(part, flags);
        }
        if order >= ORDERS || flags & !ZERO != 0 {
            return genp_page_refuse(part);
        }
        let block = genp_block_take(part, order, irq::genp_get_cpu());
        irq::genp_put_cpu();
        match block.is_null() {
            true => block,
            false => genp_block_prepare(part, block, order, flags),
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_free_pages(
    part: *mut c_void,
    block: *mut page,
    order: c_uint,
) -> c_int {
    // SAFETY: see the top of `glue`.
    unsafe {
        if order == 0 {
            return genp_free_page(part, block);
        }
        if block.is_null() || order >= ORDERS {
            genp_page_refuse(part);
            return -22;
        }
        let slot = (*block).private.get();
        let done = genp_block_give(part, block, slot, order, irq::genp_get_cpu());
        irq::genp_put_cpu();
        done
    }
}
