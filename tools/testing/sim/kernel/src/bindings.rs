// SPDX-License-Identifier: GPL-2.0

//! Structures and constants of the kernel.

#![allow(non_camel_case_types, non_upper_case_globals, missing_docs)]

pub use crate::sim::{
    files::{address_space, eventfd_ctx, file},
    lock::{raw_spinlock_t, rt_mutex},
    memory::page,
    space::{mm_struct, vm_area_struct, vm_fault},
    task::task_struct,
};

pub type bool_ = bool;
pub type u32_ = u32;
pub type u64_ = u64;
pub type s32_ = i32;
pub type raw_spinlock = raw_spinlock_t;
pub type phys_addr_t = u64;
pub type size_t = usize;
pub type ssize_t = isize;

/// A type of which only addresses are passed.
macro_rules! opaque {
    ($($name:ident)*) => { $(
        #[repr(C)]
        pub struct $name([u8; 0]);
    )* };
}

opaque! { lock_class_key pid seq_file poll_table_struct device }

pub const NUMA_NO_NODE: i32 = -1;
pub const O_CLOEXEC: u32 = 0o2000000;
pub const EDQUOT: u32 = 122;
pub const EIDRM: u32 = 43;
pub const EOPNOTSUPP: u32 = 95;
pub const ESTALE: u32 = 116;
pub const EUSERS: u32 = 87;
pub const vm_fault_reason_VM_FAULT_HWPOISON: u32 = 0x10;
pub const vm_fault_reason_VM_FAULT_NOPAGE: u32 = 0x100;
pub const POLLIN: u32 = 1;
pub const POLLPRI: u32 = 2;
pub const POLLERR: u32 = 8;
pub const POLLHUP: u32 = 16;
pub const POLLRDNORM: u32 = 64;
pub const GFP_KERNEL: u32 = 0xcc0;
pub const GFP_KERNEL_ACCOUNT: u32 = 0x400cc0;
pub const __GFP_NOWARN: u32 = 0x2000;
pub const ___GFP_NORETRY_BIT: u32 = 16;
