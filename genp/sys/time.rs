// SPDX-License-Identifier: GPL-2.0

//! The clock that all times refer to.

use super::glue;

/// CLOCK_MONOTONIC in nanoseconds. Context: any but NMI.
pub(crate) fn now() -> u64 {
    // SAFETY: not in NMI, by the condition on the caller.
    unsafe { glue::genp_now() }
}
