// SPDX-License-Identifier: GPL-2.0

//! The files in debugfs. They are for people and not ABI.

use kernel::{
    c_str,
    debugfs::{Dir, File},
    fmt,
    prelude::*,
    sync::Arc,
};

use super::pool_info::info;
use crate::genp::registry::Registry;

/// A table of the partitions.
fn show_partitions(registry: &Arc<Registry>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "{:>3} {:<31} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7} {:>7} {:>7}",
        "id", "name", "reserve", "used", "limit", "lent", "leases", "waiting", "stock", "free"
    )?;
    for partition in registry.iter() {
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
fn show_pool(registry: &Arc<Registry>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let info = info(registry.pool());
    let rows: [(&str, u64); 13] = [
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
        ("recall_bound_ns", info.recall_bound_ns),
        ("recall_worst_ns", info.recall_worst_ns),
        ("locked_longest_ns", registry.pool().lending.longest_ns()),
    ];
    for (key, value) in rows {
        writeln!(f, "{key:>18} {value}")?;
    }
    Ok(())
}

/// The files in debugfs, while the module is loaded.
pub(crate) struct DebugFs {
    _partitions: Pin<KBox<File<Arc<Registry>>>>,
    _pool: Pin<KBox<File<Arc<Registry>>>>,
    _dir: Dir,
}

impl DebugFs {
    /// Creates the files. ENOMEM. Context: thread, may sleep.
    pub(crate) fn new(registry: &Arc<Registry>) -> Result<Self> {
        let dir = Dir::new(c_str!("genp"));
        let partitions = KBox::pin_init(
            dir.read_callback_file(c_str!("partitions"), registry.clone(), &show_partitions),
            GFP_KERNEL,
        )?;
        let pool = KBox::pin_init(
            dir.read_callback_file(c_str!("pool"), registry.clone(), &show_pool),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _partitions: partitions,
            _pool: pool,
            _dir: dir,
        })
    }
}
