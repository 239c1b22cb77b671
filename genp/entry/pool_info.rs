// SPDX-License-Identifier: GPL-2.0

//! The state of the pool as `struct genp_info`.

use kernel::page::{PAGE_SHIFT, PAGE_SIZE};

use crate::genp::{
    core::{accounting::WaitOrder, count::broken_invariants},
    pool::Pool,
    stock::Emergency,
    sys::abi,
};

/// 0 for no ceiling.
fn or_none(most: u32) -> u32 {
    match most {
        u32::MAX => 0,
        most => most,
    }
}

/// The state of the pool at this moment. Context: thread.
pub(super) fn info(pool: &Pool) -> abi::genp_info {
    let totals = pool.totals();
    let config = &pool.config;
    let emergency = pool.emergency.as_ref();
    let range = pool.range.as_ref();
    let bytes = |frames: u32| u64::from(frames) << PAGE_SHIFT;
    abi::genp_info {
        abi_version: abi::GENP_ABI_VERSION,
        page_size: PAGE_SIZE as u32,
        features: u64::from(
            abi::GENP_FEATURE_LEASES
                | abi::GENP_FEATURE_EVENTS
                | abi::GENP_FEATURE_BOUNDS
                | abi::GENP_FEATURE_RESIZE
                | abi::GENP_FEATURE_STOCK
                | abi::GENP_FEATURE_LIST
                | abi::GENP_FEATURE_RIGHTS
                | abi::GENP_FEATURE_CHILDREN
                | range.map_or(0, |_| abi::GENP_FEATURE_RANGE)
                | match config.blocks.is_none() {
                    true => 0,
                    false => abi::GENP_FEATURE_BLOCKS,
                },
        ),
        capacity: bytes(totals.capacity),
        committed: bytes(totals.committed),
        lent: bytes(totals.lent),
        free: bytes(totals.free),
        clean: bytes(pool.free_frames.clean()),
        quarantined: bytes(pool.free_frames.quarantined()),
        max_lease_ns: config.max_lease_ns,
        grace_ns: config.grace_ns,
        recall_worst_ns: pool.recall_worst_ns(),
        wait_order: match config.order {
            WaitOrder::Prio => abi::GENP_ORDER_PRIO,
            WaitOrder::Fifo => abi::GENP_ORDER_FIFO,
        },
        nodes: pool.free_frames.frames().nodes(),
        partitions: totals.partitions,
        max_partitions: config.max_partitions,
        leases: totals.leases,
        max_leases: config.max_leases,
        waiters: totals.waiters,
        max_waiters: config.max_waiters,
        overdue: bytes(totals.overdue),
        emergency: bytes(emergency.map_or(0, Emergency::pages)),
        emergency_free: bytes(emergency.map_or(0, Emergency::free)),
        range: range.map_or(0, |range| range.bytes() as u64),
        range_free: range.map_or(0, |range| range.free_bytes() as u64),
        min_lease_ns: config.min_lease_ns,
        recall_share: config.recall_share.percent,
        broken_invariants: broken_invariants(),
        recall_bound_ns: pool.recall_bound_ns(),
        ceiling_refusals: pool.ceiling_refusals(),
        uid_max_partitions: or_none(config.user_limits.partitions),
        uid_max_leases: or_none(config.user_limits.leases),
        uid_max_waiters: or_none(config.user_limits.waiters),
        poisoned: bytes(totals.poisoned),
        blocks: config.blocks.by_order(),
        blocks_free: pool.blocks.free().by_order(),
        ..Default::default()
    }
}
