// SPDX-License-Identifier: GPL-2.0

//! What the module calls: the kernel.
//!
//! Each file wraps one service of the kernel in a safe type and knows nothing of its
//! users. The C side, glue_*.c, has a function for each service that is a macro or an
//! inline function in the kernel, and the tables of operations by which the kernel calls
//! the module; those calls arrive in `genp::entry`.

pub(crate) mod abi;
pub(crate) mod alloc_flags;
pub(crate) mod atomic;
pub(crate) mod block_parameter;
pub(crate) mod callback;
pub(crate) mod cell;
pub(crate) mod cpu;
pub(crate) mod errno;
pub(crate) mod eventfd;
pub(crate) mod file;
pub(crate) mod genalloc;
mod genalloc_errors;
pub(crate) mod glue;
pub(crate) mod headroom;
pub(crate) mod irq_work;
#[cfg(GENP_KUNIT)]
pub(crate) mod kunit;
pub(crate) mod lock;
pub(crate) mod memory_error;
pub(crate) mod own_mapping;
pub(crate) mod page;
pub(crate) mod poll;
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod time;
pub(crate) mod trace;
pub(crate) mod user;
pub(crate) mod vma;
pub(crate) mod vmap;
