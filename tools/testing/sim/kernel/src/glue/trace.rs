// SPDX-License-Identifier: GPL-2.0

//! The trace events, as `glue_trace.c`: lines of a run that is repeated.

use crate::sim::trace;

macro_rules! events {
    ($($call:ident($($arg:ident: $kind:ty),*);)*) => { $(
        #[no_mangle]
        pub extern "C" fn $call($($arg: $kind),*) {
            if trace::enabled() {
                let mut text = String::from(stringify!($call)).replace("call_", "");
                $( text += &format!(concat!(" ", stringify!($arg), "={:#x}"), $arg); )*
                trace::line(&text);
            }
        }
    )* };
}

events! {
    call_genp_create(partition: u32, reserve: u32, limit: u32);
    call_genp_resize(partition: u32, reserve: u32, limit: u32);
    call_genp_destroy(partition: u32);
    call_genp_release(partition: u32, pages: u32);
    call_genp_quarantine(partition: u32, pages: u32);
    call_genp_memory_error(partition: u32, handle: u64, offset: u64);
    call_genp_alloc(partition: u32, handle: u64, length: u64, offset: u64);
    call_genp_free(partition: u32, handle: u64);
    call_genp_wait(partition: u32, handle: u64, deadline: u64);
    call_genp_grant(partition: u32, handle: u64, pages: u32, expires: u64);
    call_genp_refuse(partition: u32, pages: u32, error: i32);
    call_genp_recall(partition: u32, handle: u64, expires: u64);
    call_genp_return(partition: u32, handle: u64, bytes: u64);
    call_genp_revoke(partition: u32, handle: u64, bytes: u64);
    call_genp_unmap(partition: u32, handle: u64, first: u32, pages: u32, mappings: u32);
    call_genp_renew(partition: u32, handle: u64, expires: u64);
    call_genp_overdue(partition: u32, handle: u64, expires: u64);
    call_genp_refill(partition: u32, pages: u32, free: u32);
    call_genp_drain(partition: u32, pages: u32, free: u32);
}
