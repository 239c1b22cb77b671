// SPDX-License-Identifier: GPL-2.0

//! What the pool shows to people and to their tools: sysfs attributes, which are
//! ABI, and debugfs files, which are not.

use kernel::{
    c_str,
    debugfs::{Dir, File},
    fmt,
    page::PAGE_SHIFT,
    prelude::*,
    sync::Arc,
};

use super::{control, pool::Pool, sys::glue};

/// The value of an attribute in /sys/class/misc/genp.
pub(crate) fn attribute(pool: &Pool, which: u32) -> u64 {
    let info = control::info(pool);
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

/// A table of the partitions.
fn show_partitions(pool: &Arc<Pool>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "{:>3} {:<31} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7} {:>7} {:>7}",
        "id", "name", "reserve", "used", "limit", "lent", "leases", "waiting", "stock", "free"
    )?;
    for partition in pool.roster.iter() {
        let stat = partition.stat();
        writeln!(
            f,
            "{:>3} {:<31} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7} {:>7} {:>7}",
            partition.id().0,
            ::core::str::from_utf8(partition.name()).unwrap_or(""),
            stat.reserve,
            stat.used,
            stat.borrow_limit,
            stat.lent,
            stat.leases,
            stat.waiters,
            stat.stock_owned,
            stat.stock_free,
        )?;
    }
    Ok(())
}

/// The pool in a few lines.
fn show_pool(pool: &Arc<Pool>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let info = control::info(pool);
    let rows: [(&str, u64); 12] = [
        ("capacity", info.capacity),
        ("committed", info.committed),
        ("quarantined", info.quarantined),
        ("lent", info.lent),
        ("overdue", info.overdue),
        ("free", info.free),
        ("clean", info.clean),
        ("emergency", info.emergency),
        ("emergency_free", info.emergency_free),
        ("waiters", info.waiters.into()),
        ("recall_worst_ns", info.recall_worst_ns),
        ("locked_longest_ns", pool.front.longest_ns()),
    ];
    for (key, value) in rows {
        writeln!(f, "{key:>18} {value}")?;
    }
    Ok(())
}

/// The files in debugfs, while the module is loaded.
pub(crate) struct Overview {
    _partitions: Pin<KBox<File<Arc<Pool>>>>,
    _pool: Pin<KBox<File<Arc<Pool>>>>,
    _dir: Dir,
}

impl Overview {
    /// Makes the files. ENOMEM. Context: thread, may sleep.
    pub(crate) fn new(pool: &Arc<Pool>) -> Result<Self> {
        let dir = Dir::new(c_str!("genp"));
        let partitions = KBox::pin_init(
            dir.read_callback_file(c_str!("partitions"), pool.clone(), &show_partitions),
            GFP_KERNEL,
        )?;
        let pool = KBox::pin_init(
            dir.read_callback_file(c_str!("pool"), pool.clone(), &show_pool),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _partitions: partitions,
            _pool: pool,
            _dir: dir,
        })
    }
}
