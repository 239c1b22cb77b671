// SPDX-License-Identifier: GPL-2.0

//! The attributes in /sys/class/misc/genp, which are ABI.

use kernel::{c_str, page::PAGE_SHIFT, str::CStr};

use super::pool_info::info;
use crate::genp::{
    core::block_counts::{BlockCounts, ORDERS},
    pool::Pool,
    sys::abi::genp_info,
};

/// An attribute.
struct Attribute {
    name: &'static CStr,
    value: fn(&Pool, &genp_info) -> u64,
}

/// The table of attributes, from which `glue_misc.c` makes the files.
macro_rules! attributes {
    ($( $name:ident: $value:expr; )*) => {
        static ATTRIBUTES: &[Attribute] = &[$(
            Attribute {
                name: c_str!(stringify!($name)),
                value: $value,
            },
        )*];
    };
}

attributes! {
    capacity_bytes: |_, info| info.capacity;
    committed_bytes: |_, info| info.committed;
    lent_bytes: |_, info| info.lent;
    free_bytes: |_, info| info.free;
    clean_bytes: |_, info| info.clean;
    quarantined_bytes: |_, info| info.quarantined;
    max_lease_ns: |_, info| info.max_lease_ns;
    grace_ns: |_, info| info.grace_ns;
    recall_worst_ns: |_, info| info.recall_worst_ns;
    wait_bound_ns: |pool, _| pool.wait_bound_ns();
    wait_order: |_, info| info.wait_order.into();
    partitions: |_, info| info.partitions.into();
    max_partitions: |_, info| info.max_partitions.into();
    leases: |_, info| info.leases.into();
    max_leases: |_, info| info.max_leases.into();
    waiters: |_, info| info.waiters.into();
    max_waiters: |_, info| info.max_waiters.into();
    recall_prio: |pool, _| pool.config.recall_prio as u64;
    uid_ceiling_bytes: |pool, _| uid_ceiling_bytes(pool);
    overdue_bytes: |_, info| info.overdue;
    emergency_bytes: |_, info| info.emergency;
    emergency_free_bytes: |_, info| info.emergency_free;
    min_lease_ns: |_, info| info.min_lease_ns;
    recall_share: |_, info| info.recall_share.into();
    broken_invariants: |_, info| info.broken_invariants.into();
    recall_work_ns: |pool, _| pool.config.recall_share.work_per_second();
    recall_bound_ns: |_, info| info.recall_bound_ns;
    recall_latency_ns: |pool, _| pool.costs.get().latency_ns;
    recall_end_ns: |pool, _| pool.costs.get().end_ns;
    recall_page_ns: |pool, _| pool.costs.get().page_ns;
    recall_zero_ns: |pool, _| pool.costs.get().zero_ns;
    recall_serve_ns: |pool, _| pool.costs.get().serve_ns;
    recall_section_ns: |pool, _| pool.costs.get().section_ns;
    recall_calibrated: |pool, _| pool.costs.are_measured().into();
    poisoned_bytes: |_, info| info.poisoned;
    recall_base_prio: |pool, _| pool.config.revoke_prio.base as u64;
    notify_prio: |pool, _| pool.config.notify_prio as u64;
    refill_prio: |pool, _| pool.config.refill_prio as u64;
    ceiling_refusals: |_, info| info.ceiling_refusals;
    uid_max_partitions: |_, info| info.uid_max_partitions.into();
    uid_max_leases: |_, info| info.uid_max_leases.into();
    uid_max_waiters: |_, info| info.uid_max_waiters.into();
    blocks_bytes: |_, info| bytes_of(&info.blocks);
    blocks_free_bytes: |_, info| bytes_of(&info.blocks_free);
}

/// 0 for no ceiling.
fn uid_ceiling_bytes(pool: &Pool) -> u64 {
    match pool.config.uid_ceiling {
        u32::MAX => 0,
        frames => u64::from(frames) << PAGE_SHIFT,
    }
}

/// The bytes of contiguous blocks, by their numbers of each order.
fn bytes_of(blocks: &[u32; ORDERS]) -> u64 {
    let pages = BlockCounts::new(*blocks).and_then(|counts| counts.pages());
    u64::from(pages.unwrap_or(0)) << PAGE_SHIFT
}

/// The name of an attribute by its number; `None` behind the last one.
pub(super) fn name(which: u32) -> Option<&'static CStr> {
    ATTRIBUTES
        .get(which as usize)
        .map(|attribute| attribute.name)
}

/// The value of an attribute by its number. Context: thread.
pub(super) fn value(pool: &Pool, which: u32) -> u64 {
    ATTRIBUTES
        .get(which as usize)
        .map_or(0, |attribute| (attribute.value)(pool, &info(pool)))
}
