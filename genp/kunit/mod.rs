// SPDX-License-Identifier: GPL-2.0

//! The KUnit tests that need no private items; the others are in `genp/partition/`.

mod blocks;
mod config;
mod ends;
mod frame_list;
mod frames;
mod free_frames;
mod lending;
mod locks;
pub(crate) mod names;
mod queues;
mod stock;
mod threads;

use kernel::{prelude::*, sync::Arc};

use crate::genp::{
    pool::{
        config::{Config, Params},
        Pool, Wakers,
    },
    registry::Registry,
};

/// Valid parameters of a small pool.
pub(crate) fn params() -> Params {
    Params {
        pool_mib: 1,
        max_lease_ms: 1000,
        min_lease_us: 1000,
        grace_ms: 10,
        recall_prio: 90,
        recall_base_prio: 1,
        notify_prio: 45,
        recall_share: 20,
        recall_latency_ns: 0,
        recall_end_ns: 0,
        recall_page_ns: 0,
        recall_zero_ns: 0,
        recall_serve_ns: 0,
        recall_section_ns: 0,
        refill_prio: 50,
        wait_order: 0,
        max_waiters: 4,
        max_partitions: 4,
        max_leases: 16,
        uid_ceiling_mib: 0,
        uid_max_partitions: 0,
        uid_max_leases: 0,
        uid_max_waiters: 0,
        emergency_pages: 8,
        keep_free_mib: 1,
        range_base: 0,
        range_mib: 0,
        blocks: b"",
    }
}

/// A pool of one test, and its partitions. Without threads and device.
pub(crate) fn registry() -> Result<Arc<Registry>> {
    registry_of(&params())
}

/// As [`registry`], with other parameters.
pub(crate) fn registry_of(params: &Params) -> Result<Arc<Registry>> {
    Registry::new(Pool::new(Config::check(params)?, Wakers::new()?)?)
}
