// SPDX-License-Identifier: GPL-2.0

//! As `glue_irq.c`.

use crate::{
    ffi::{c_uint, c_ulong, c_void},
    sim::{fail, machine, point},
};

#[no_mangle]
pub unsafe extern "C" fn genp_test_and_set_bit(bit: c_uint, word: *mut c_ulong) -> bool {
    point();
    // SAFETY: see the top of `glue`.
    unsafe {
        let was = (*word >> bit) & 1 == 1;
        *word |= 1 << bit;
        was
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_test_and_clear_bit(bit: c_uint, word: *mut c_ulong) -> bool {
    point();
    // SAFETY: see the top of `glue`.
    unsafe {
        let was = (*word >> bit) & 1 == 1;
        *word &= !(1 << bit);
        was
    }
}

#[no_mangle]
pub extern "C" fn genp_get_cpu() -> c_uint {
    point();
    let Some(me) = machine().task() else {
        fail("preemption is disabled outside of any task");
    };
    me.pinned.set(me.pinned.get() + 1);
    me.cpu.get()
}

#[no_mangle]
pub extern "C" fn genp_put_cpu() {
    let Some(me) = machine().task() else {
        fail("preemption is enabled outside of any task");
    };
    match me.pinned.get().checked_sub(1) {
        Some(left) => me.pinned.set(left),
        None => fail("preemption is enabled twice"),
    }
    point();
}

#[no_mangle]
pub extern "C" fn genp_nr_cpus() -> c_uint {
    machine().plan.cpus
}

#[no_mangle]
pub extern "C" fn genp_irq_work_set(waker: *mut c_void) {
    machine().interrupts.set_work(waker);
}

#[no_mangle]
pub extern "C" fn genp_irq_work_queue() {
    point();
    machine().interrupts.queue_work();
}

#[no_mangle]
pub extern "C" fn genp_irq_work_sync() {
    machine().might_sleep("irq_work_sync()");
    while machine().interrupts.is_work_pending() {
        machine().sleep_for(1_000);
    }
}
