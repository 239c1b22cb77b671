// SPDX-License-Identifier: GPL-2.0

//! The C glue, as bindgen reads it in `glue.h`.

#![allow(
    clippy::all,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_pub
)]

use super::abi::{
    gen_pool, genp_burst, genp_cache, genp_chunk, genp_elements, genp_lease, genp_outstanding,
    genp_partition, genp_placement, genp_region, genp_request, genp_spec, genp_stat,
};
use kernel::bindings::*;

include!(concat!(env!("GENP_GENERATED"), "/glue_generated.rs"));
