// SPDX-License-Identifier: GPL-2.0

//! The attributes in /sys/class/misc/genp, which are ABI.

use kernel::page::PAGE_SHIFT;

use super::pool_info::info;
use crate::genp::{pool::Pool, sys::glue};

/// The value of an attribute in /sys/class/misc/genp.
pub(super) fn attribute(pool: &Pool, which: u32) -> u64 {
    let info = info(pool);
    match which {
        glue::GENP_ATTR_CAPACITY_BYTES => info.capacity,
        glue::GENP_ATTR_COMMITTED_BYTES => info.committed,
        glue::GENP_ATTR_LENT_BYTES => info.lent,
        glue::GENP_ATTR_FREE_BYTES => info.free,
        glue::GENP_ATTR_CLEAN_BYTES => info.clean,
        glue::GENP_ATTR_QUARANTINED_BYTES => info.quarantined,
        glue::GENP_ATTR_MAX_LEASE_NS => info.max_lease_ns,
        glue::GENP_ATTR_GRACE_NS => info.grace_ns,
        glue::GENP_ATTR_RECALL_WORST_NS => info.recall_worst_ns,
        glue::GENP_ATTR_WAIT_BOUND_NS => pool.wait_bound_ns(),
        glue::GENP_ATTR_WAIT_ORDER => info.wait_order.into(),
        glue::GENP_ATTR_PARTITIONS => info.partitions.into(),
        glue::GENP_ATTR_MAX_PARTITIONS => info.max_partitions.into(),
        glue::GENP_ATTR_LEASES => info.leases.into(),
        glue::GENP_ATTR_MAX_LEASES => info.max_leases.into(),
        glue::GENP_ATTR_WAITERS => info.waiters.into(),
        glue::GENP_ATTR_MAX_WAITERS => info.max_waiters.into(),
        glue::GENP_ATTR_RECALL_PRIO => pool.config.recall_prio as u64,
        glue::GENP_ATTR_UID_CEILING_BYTES => match pool.config.uid_ceiling {
            u32::MAX => 0,
            frames => u64::from(frames) << PAGE_SHIFT,
        },
        glue::GENP_ATTR_OVERDUE_BYTES => info.overdue,
        glue::GENP_ATTR_EMERGENCY_BYTES => info.emergency,
        glue::GENP_ATTR_EMERGENCY_FREE_BYTES => info.emergency_free,
        glue::GENP_ATTR_REFILL_PRIO => pool.config.refill_prio as u64,
        _ => 0,
    }
}
