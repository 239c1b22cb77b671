// SPDX-License-Identifier: GPL-2.0

//! Trace events, for perf, trace-cmd and bpftrace. See `genp_trace.h` for what
//! the numbers mean. Context: any but NMI.

use super::glue;

/// `genp_create`.
pub(crate) fn create(partition: u32, reserve_pages: u32, limit_pages: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_create(partition, reserve_pages, limit_pages) }
}

/// `genp_resize`.
pub(crate) fn resize(partition: u32, reserve_pages: u32, limit_pages: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_resize(partition, reserve_pages, limit_pages) }
}

/// `genp_destroy`.
pub(crate) fn destroy(partition: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_destroy(partition) }
}

/// `genp_release`.
pub(crate) fn release(partition: u32, pages: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_release(partition, pages) }
}

/// `genp_quarantine`.
pub(crate) fn quarantine(partition: u32, pages: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_quarantine(partition, pages) }
}

/// `genp_alloc`.
pub(crate) fn alloc(partition: u32, handle: u64, length: u64, offset: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_alloc(partition, handle, length, offset) }
}

/// `genp_free`.
pub(crate) fn free(partition: u32, handle: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_free(partition, handle) }
}

/// `genp_wait`.
pub(crate) fn wait(partition: u32, handle: u64, deadline: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_wait(partition, handle, deadline) }
}

/// `genp_grant`.
pub(crate) fn grant(partition: u32, handle: u64, pages: u32, expires: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_grant(partition, handle, pages, expires) }
}

/// `genp_refuse`.
pub(crate) fn refuse(partition: u32, pages: u32, error: i32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_refuse(partition, pages, error) }
}

/// `genp_recall`.
pub(crate) fn recall(partition: u32, handle: u64, expires: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_recall(partition, handle, expires) }
}

/// `genp_return`.
pub(crate) fn return_lease(partition: u32, handle: u64, bytes: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_return(partition, handle, bytes) }
}

/// `genp_revoke`.
pub(crate) fn revoke(partition: u32, handle: u64, bytes: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_revoke(partition, handle, bytes) }
}

/// `genp_renew`.
pub(crate) fn renew(partition: u32, handle: u64, expires: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_renew(partition, handle, expires) }
}

/// `genp_overdue`.
pub(crate) fn overdue(partition: u32, handle: u64, expires: u64) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_overdue(partition, handle, expires) }
}

/// `genp_refill`.
pub(crate) fn refill(partition: u32, pages: u32, free: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_refill(partition, pages, free) }
}

/// `genp_drain`.
pub(crate) fn drain(partition: u32, pages: u32, free: u32) {
    // SAFETY: has no precondition.
    unsafe { glue::genp_trace_drain(partition, pages, free) }
}
