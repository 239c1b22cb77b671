// SPDX-License-Identifier: MIT OR Apache-2.0

//! The user space interface, generated from `include/uapi/linux/genp.h`.

#![allow(
    clippy::all,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    rustdoc::broken_intra_doc_links
)]

include!(concat!(env!("OUT_DIR"), "/abi.rs"));
include!(concat!(env!("OUT_DIR"), "/commands.rs"));
