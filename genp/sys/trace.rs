// SPDX-License-Identifier: GPL-2.0

//! Trace events, for perf, trace-cmd and bpftrace. `genp_trace.h` says what the numbers
//! mean. Context: any but NMI.

use super::glue;

/// A function for each event of `genp_trace.h`, which has the same arguments: the
/// compiler compares them.
macro_rules! events {
    ($( $call:ident: $name:ident($($arg:ident: $type:ty),*); )*) => { $(
        #[doc = concat!("Traces `", stringify!($call), "`.")]
        pub(crate) fn $name($($arg: $type),*) {
            // SAFETY: no precondition: the arguments are numbers.
            unsafe { glue::$call($($arg),*) }
        }
    )* };
}

events! {
    call_genp_create: create(partition: u32, reserve_pages: u32, limit_pages: u32);
    call_genp_resize: resize(partition: u32, reserve_pages: u32, limit_pages: u32);
    call_genp_destroy: destroy(partition: u32);
    call_genp_release: release(partition: u32, pages: u32);
    call_genp_quarantine: quarantine(partition: u32, pages: u32);
    call_genp_memory_error: memory_error(partition: u32, handle: u64, offset: u64);
    call_genp_alloc: alloc(partition: u32, handle: u64, length: u64, offset: u64);
    call_genp_free: free(partition: u32, handle: u64);
    call_genp_wait: wait(partition: u32, handle: u64, deadline: u64);
    call_genp_grant: grant(partition: u32, handle: u64, pages: u32, expires: u64);
    call_genp_refuse: refuse(partition: u32, pages: u32, error: i32);
    call_genp_recall: recall(partition: u32, handle: u64, expires: u64);
    call_genp_return: return_lease(partition: u32, handle: u64, bytes: u64);
    call_genp_revoke: revoke(partition: u32, handle: u64, bytes: u64);
    call_genp_unmap: unmap(partition: u32, handle: u64, first: u32, pages: u32, mappings: u32);
    call_genp_renew: renew(partition: u32, handle: u64, expires: u64);
    call_genp_overdue: overdue(partition: u32, handle: u64, expires: u64);
    call_genp_refill: refill(partition: u32, pages: u32, free: u32);
    call_genp_drain: drain(partition: u32, pages: u32, free: u32);
}
