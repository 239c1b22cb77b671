// SPDX-License-Identifier: GPL-2.0

//! The C interface, generated from `include/linux/genp.h` by bindgen.

#![allow(
    clippy::all,
    dead_code,
    clippy::undocumented_unsafe_blocks,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn
)]

include!(concat!(env!("GENP_SAMPLE_GENERATED"), "/genp_generated.rs"));
