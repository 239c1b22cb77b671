// SPDX-License-Identifier: GPL-2.0

//! The user space interface, generated from `include/uapi/linux/genp.h`.

#![allow(
    clippy::all,
    dead_code,
    clippy::undocumented_unsafe_blocks,
    missing_docs,
    non_camel_case_types,
    unreachable_pub
)]

include!(concat!(env!("GENP_GENERATED"), "/abi_generated.rs"));

/// An argument structure of an ioctl.
///
/// # Safety
///
/// The type is plain data without padding, for which every bit pattern is valid,
/// and begins with its size as a `u32`.
pub(crate) unsafe trait IoctlArgument: Copy + Default {}

macro_rules! arguments {
    ($($name:ident),* $(,)?) => { $(
        // SAFETY: a structure of the ABI: integers only, padding spelled out in
        // the header, whose size is asserted there, `size` first.
        unsafe impl IoctlArgument for $name {}
    )* };
}

arguments!(
    genp_info,
    genp_create,
    genp_open,
    genp_alloc,
    genp_handle,
    genp_borrow,
    genp_renew,
    genp_resize,
    genp_stat,
    genp_bounds,
    genp_histogram,
    genp_eventfd,
    genp_destroy,
);
