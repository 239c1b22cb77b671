// SPDX-License-Identifier: GPL-2.0

//! The memory of the accounting's tables.

use kernel::prelude::*;

use crate::genp::{
    core::accounting::{Accounting, Memory},
    sys::alloc_flags::SETUP_FLAGS,
};

/// The kernel's heap, as it may be used at load.
pub(crate) struct KernelHeap;

impl Memory for KernelHeap {
    type Table<T: Clone> = KVVec<T>;
    type Error = Error;

    /// Context: thread, may sleep.
    fn table<T: Clone>(count: u32, value: T) -> Result<KVVec<T>> {
        Ok(KVVec::from_elem(value, count as usize, SETUP_FLAGS)?)
    }
}

/// The accounting with its tables on the kernel's heap.
pub(crate) type PoolAccounting = Accounting<KernelHeap>;
