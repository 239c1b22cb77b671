// SPDX-License-Identifier: MIT OR Apache-2.0

//! The user space interface, as `scripts/bindings` reads it in `include/uapi/linux/genp.h`.

#![allow(clippy::all, non_camel_case_types, non_upper_case_globals)]

include!("generated.rs");
