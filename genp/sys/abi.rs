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
/// The type is plain data without padding, for which every bit pattern is valid.
pub(crate) unsafe trait IoctlArgument: Copy + Default {
    /// The size that the user's structure has.
    fn size(&self) -> u32;

    /// Sets that size.
    fn set_size(&mut self, size: u32);
}

macro_rules! arguments {
    ($($name:ident),* $(,)?) => { $(
        // SAFETY: a structure of the ABI: integers only, padding spelled out in
        // the header, whose size is asserted there.
        unsafe impl IoctlArgument for $name {
            fn size(&self) -> u32 {
                self.size
            }

            fn set_size(&mut self, size: u32) {
                self.size = size;
            }
        }
    )* };
}

arguments!(
    genp_info,
    genp_create,
    genp_open,
    genp_list,
    genp_alloc,
    genp_handle,
    genp_borrow,
    genp_renew,
    genp_resize,
    genp_stat,
    genp_bounds,
    genp_histogram,
    genp_eventfd,
    genp_heap,
    genp_restrict,
    genp_destroy,
);
