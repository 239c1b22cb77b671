// SPDX-License-Identifier: GPL-2.0

//! Contiguous blocks.

use kernel::{
    bindings::page,
    ffi::{c_int, c_uint},
};

use super::{answer, partition, refusal, same_prototypes};
use crate::genp::sys::{
    abi::{self, genp_partition},
    cpu::CurrentCpu,
    glue,
};

/// Takes a block of the partition, or returns NULL.
#[no_mangle]
unsafe extern "C" fn genp_block_take(
    part: *mut genp_partition,
    order: c_uint,
    cpu: c_uint,
) -> *mut page {
    // SAFETY: see the top of `capi`; `glue_blocks.c` keeps preemption off meanwhile.
    let (partition, cpu) = unsafe { (partition(part), CurrentCpu::new(cpu)) };
    partition.blocks().take(order, &cpu).unwrap_or(0) as *mut page
}

/// Takes another block if there is a memory error in this one, and does what the flags ask
/// for.
#[no_mangle]
unsafe extern "C" fn genp_block_prepare(
    part: *mut genp_partition,
    block: *mut page,
    order: c_uint,
    flags: c_uint,
) -> *mut page {
    // SAFETY: the block was taken of the partition, so its first page has its slot; and see
    // the top of `capi`.
    let (blocks, slot) = unsafe { (partition(part).blocks(), glue::genp_page_slot(block)) };
    let Some(slot) = blocks.sound(order, slot) else {
        return core::ptr::null_mut();
    };
    if flags & abi::GENP_ZERO != 0 {
        blocks.zero(order, slot);
    }
    blocks.page(order, slot).unwrap_or(0) as *mut page
}

/// Gives a block back whose `page_private()` is `slot`.
#[no_mangle]
unsafe extern "C" fn genp_block_give(
    part: *mut genp_partition,
    block: *mut page,
    slot: usize,
    order: c_uint,
    cpu: c_uint,
) -> c_int {
    // SAFETY: see the top of `capi`; `glue_blocks.c` keeps preemption off meanwhile.
    let (partition, cpu) = unsafe { (partition(part), CurrentCpu::new(cpu)) };
    match partition.give_block(order, block as usize, slot, &cpu) {
        Ok(()) => 0,
        Err(why) => answer(Err(refusal(why))),
    }
}

same_prototypes!(genp_block_take, genp_block_prepare, genp_block_give);
