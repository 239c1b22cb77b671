// SPDX-License-Identifier: GPL-2.0

//! The KUnit tests of what the rest of the module can see.

use kernel::prelude::*;

mod chain;
mod config;
mod desk;
mod frames;
mod locks;
pub(crate) mod names;
mod stock;
mod store;
mod threads;

use super::config::{Config, Given};

/// The parameters of a small pool, all of them sound.
pub(crate) fn given() -> Given {
    Given {
        pool_mib: 1,
        max_lease_ms: 1000,
        grace_ms: 10,
        recall_prio: 90,
        refill_prio: 50,
        wait_order: 0,
        max_waiters: 4,
        max_partitions: 4,
        max_leases: 16,
        uid_ceiling_mib: 0,
        emergency_pages: 8,
        range_base: 0,
        range_mib: 0,
    }
}

/// A pool that nobody but one test knows. No threads, no device.
pub(crate) fn pool() -> Result<kernel::sync::Arc<super::pool::Pool>> {
    super::pool::Pool::new(Config::check(&given())?, super::pool::Bells::new()?)
}
