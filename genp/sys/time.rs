// SPDX-License-Identifier: GPL-2.0

//! The clock all times are of.

use super::glue;

/// CLOCK_MONOTONIC in nanoseconds. Context: any but NMI.
pub(crate) fn now() -> u64 {
    // SAFETY: has no precondition outside of NMI and after suspend.
    unsafe { glue::genp_now() }
}
