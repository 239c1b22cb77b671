// SPDX-License-Identifier: GPL-2.0

//! The limits of the module's parameters, for the module and for who plans without it.

/// The largest pool, in MiB.
pub const MAX_POOL_MIB: u32 = 480 << 10;

/// The most pages of the emergency stock.
pub const MAX_EMERGENCY: u32 = 1 << 20;

/// The most leases of the pool.
pub const MAX_LEASES: u32 = 4096;

/// A parameter with limits that depend on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The lowest value that is accepted.
    pub least: i64,
    /// The highest one.
    pub most: i64,
    /// The value if none is given.
    pub default: i64,
}

const fn parameter(name: &'static str, least: i64, most: i64, default: i64) -> Parameter {
    Parameter {
        name,
        least,
        most,
        default,
    }
}

/// The longest time that a cost may be, a second.
const MAX_COST_NS: i64 = 1_000_000_000;

/// All parameters but the physical range, in the order in which they are checked. `grace_ms`
/// is not more than `max_lease_ms` besides, and `recall_base_prio` not more than `recall_prio`.
pub const PARAMETERS: &[Parameter] = &[
    parameter("pool_mib", 1, MAX_POOL_MIB as i64, 64),
    parameter("max_lease_ms", 1, 3_600_000, 1000),
    parameter("grace_ms", 0, 3_600_000, 10),
    // At most the least max_lease_ms.
    parameter("min_lease_us", 1, 1000, 1000),
    parameter("recall_share", 1, 100, 20),
    parameter("recall_prio", 2, 99, 90),
    parameter("recall_base_prio", 1, 99, 1),
    parameter("notify_prio", 1, 99, 45),
    parameter("recall_latency_ns", 0, MAX_COST_NS, 0),
    parameter("recall_end_ns", 0, MAX_COST_NS, 0),
    parameter("recall_page_ns", 0, MAX_COST_NS, 0),
    parameter("recall_zero_ns", 0, MAX_COST_NS, 0),
    parameter("recall_serve_ns", 0, MAX_COST_NS, 0),
    parameter("recall_section_ns", 0, MAX_COST_NS, 0),
    parameter("refill_prio", 1, 99, 80),
    parameter("wait_order", 0, 1, 0),
    parameter("max_waiters", 1, 256, 64),
    parameter("max_partitions", 1, 256, 64),
    parameter("max_leases", 1, MAX_LEASES as i64, 1024),
    parameter("uid_ceiling_mib", 0, 4 << 20, 0),
    parameter("uid_max_partitions", 0, 256, 0),
    parameter("uid_max_leases", 0, 16384, 0),
    parameter("uid_max_waiters", 0, 256, 0),
    parameter("emergency_pages", 0, MAX_EMERGENCY as i64, 0),
    parameter("keep_free_mib", 0, 4 << 20, 0),
];

/// The parameter of this name, if there is one. O(parameters).
pub fn named(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}
