// SPDX-License-Identifier: GPL-2.0

//! The clock all times are of, and those of the callers, whose time namespace may have
//! an offset to it.

use super::glue;

/// CLOCK_MONOTONIC of the host in nanoseconds. Context: any but NMI.
pub(crate) fn now() -> u64 {
    // SAFETY: not in NMI, by the condition on the caller.
    unsafe { glue::genp_now() }
}

/// A time that a process gave, on the host's clock. One before the clock began is 0, and
/// `u64::MAX` stays what it is. Context: a process.
pub(crate) fn to_host(time: u64) -> u64 {
    // SAFETY: reads the time namespace of the calling task, which has one until it exits.
    unsafe { glue::genp_time_to_host(time) }
}

/// A time of the host's clock for the calling process. Context: a process.
pub(crate) fn from_host(time: u64) -> u64 {
    // SAFETY: as above.
    unsafe { glue::genp_time_from_host(time) }
}
