// SPDX-License-Identifier: GPL-2.0

//! The parameter `blocks`, which is a text.

use super::glue;

/// What was given, without a terminating zero. Context: any.
pub(crate) fn given() -> &'static [u8] {
    let mut length = 0;
    // SAFETY: a variable of ours to write to.
    let text = unsafe { glue::genp_blocks_parameter(&raw mut length) };
    // SAFETY: so many bytes of a variable of the module's, which was set before its init and
    // does not change.
    unsafe { core::slice::from_raw_parts(text.cast(), length) }
}
