// SPDX-License-Identifier: GPL-2.0

//! What the pool says of itself.

use std::io;

use genp::{
    abi::{self, genp_info},
    system,
};

use serde_json::{json, Value};

use crate::{blocks, output::Format, problem::Problem, size, sysfs, table::Table, time};

/// The features and their bits.
const FEATURES: [(u32, &str); 9] = [
    (abi::GENP_FEATURE_LEASES, "leases"),
    (abi::GENP_FEATURE_EVENTS, "events"),
    (abi::GENP_FEATURE_BOUNDS, "bounds"),
    (abi::GENP_FEATURE_RESIZE, "resize"),
    (abi::GENP_FEATURE_STOCK, "stock"),
    (abi::GENP_FEATURE_RANGE, "range"),
    (abi::GENP_FEATURE_LIST, "list"),
    (abi::GENP_FEATURE_RIGHTS, "rights"),
    (abi::GENP_FEATURE_BLOCKS, "blocks"),
];

/// Advice if the control device cannot be used.
fn advice(error: &io::Error, loaded: bool) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENXIO | libc::ENODEV) if loaded => {
            "The module is loaded, but its device node is missing: see whether devtmpfs is mounted on /dev."
        }
        Some(libc::ENOENT | libc::ENXIO | libc::ENODEV) => {
            "The module is not loaded: insmod genp.ko pool_mib=MIB, as root."
        }
        Some(libc::EACCES | libc::EPERM) => {
            "Run this as root, or give your user read and write access to the device. Where packages installed GenP,\nthe group genp has it: adduser USER genp, and log in again."
        }
        Some(libc::ENOTTY | libc::EINVAL | libc::E2BIG) => {
            "This is not GenP's device, or one of another version: build module and genpctl from one tree."
        }
        _ => "See the kernel's log: dmesg.",
    }
}

/// Queries the pool. Also checks whether GenP is available.
pub fn info() -> Result<genp_info, Problem> {
    system::info().map_err(|error| {
        let advice = advice(&error, sysfs::module_loaded());
        Problem::new("cannot use /dev/genp", error, advice)
    })
}

/// The names of features; bits without a name in hexadecimal.
fn features(bits: u64) -> Vec<String> {
    let mut rest = bits;
    let mut names = Vec::new();
    for (bit, name) in FEATURES {
        if bits & u64::from(bit) != 0 {
            names.push(name.to_owned());
            rest &= !u64::from(bit);
        }
    }
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    names
}

/// What one user may have, as far as it is limited.
pub fn ceilings(info: &genp_info) -> Option<String> {
    let all = [
        (info.uid_max_partitions, "partitions"),
        (info.uid_max_leases, "leases"),
        (info.uid_max_waiters, "waiters"),
    ];
    let limited = all.iter().filter(|(most, _)| *most != 0);
    let shown: Vec<String> = limited.map(|(most, of)| format!("{most} {of}")).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// The order in which waiters are served.
pub fn wait_order(info: &genp_info) -> &'static str {
    match info.wait_order {
        abi::GENP_ORDER_PRIO => "priority, then arrival",
        abi::GENP_ORDER_FIFO => "arrival",
        _ => "unknown",
    }
}

/// A number and its limit.
pub fn of(now: u32, most: u32) -> String {
    format!("{now} of {most}")
}

/// The pool as a table.
fn table(info: &genp_info) -> Table {
    let mut table = Table::new("ll");
    table.pair("capacity", size::show(info.capacity));
    table.pair("  committed", size::show(info.committed));
    table.pair("    quarantined", size::show(info.quarantined));
    table.pair("  lent", size::show(info.lent));
    if info.overdue != 0 {
        table.pair("  overdue", size::show(info.overdue));
    }
    table.pair("  free", size::show(info.free));
    table.pair("    clean", size::show(info.clean));
    if info.poisoned != 0 {
        table.pair("  poisoned", size::show(info.poisoned));
    }
    if info.emergency != 0 {
        table.pair("emergency stock", size::show(info.emergency));
        table.pair("  free", size::show(info.emergency_free));
    }
    let all = blocks::show(&info.blocks);
    if !all.is_empty() {
        table.pair("blocks by order", all);
        table.pair("  free", blocks::show(&info.blocks_free));
    }
    table.pair("partitions", of(info.partitions, info.max_partitions));
    table.pair("leases", of(info.leases, info.max_leases));
    table.pair("waiters", of(info.waiters, info.max_waiters));
    table.pair("served by", wait_order(info));
    table.pair("longest term", time::show(info.max_lease_ns));
    table.pair("shortest term", time::show(info.min_lease_ns));
    table.pair("recall share", format!("{} %", info.recall_share));
    if let Some(ceilings) = ceilings(info) {
        table.pair("one user", ceilings);
        table.pair("ceiling refusals", info.ceiling_refusals);
    }
    table.pair("grace", time::show(info.grace_ns));
    table.pair("R, the longest recall", time::show(info.recall_bound_ns));
    table.pair("  so far", time::show(info.recall_worst_ns));
    if info.broken_invariants > 0 {
        table.pair("broken invariants, to be reported", info.broken_invariants);
    }
    table.pair("memory nodes", info.nodes);
    table.pair("page size", size::show(info.page_size.into()));
    table.pair("features", features(info.features).join(" "));
    table.pair("ABI version", info.abi_version);
    table
}

/// The pool as a document.
pub fn document(info: &genp_info) -> Value {
    json!({
        "capacity_bytes": info.capacity,
        "committed_bytes": info.committed,
        "quarantined_bytes": info.quarantined,
        "lent_bytes": info.lent,
        "overdue_bytes": info.overdue,
        "free_bytes": info.free,
        "clean_bytes": info.clean,
        "poisoned_bytes": info.poisoned,
        "emergency_bytes": info.emergency,
        "emergency_free_bytes": info.emergency_free,
        "blocks": info.blocks,
        "blocks_free": info.blocks_free,
        "range_bytes": info.range,
        "range_free_bytes": info.range_free,
        "partitions": info.partitions,
        "max_partitions": info.max_partitions,
        "leases": info.leases,
        "max_leases": info.max_leases,
        "waiters": info.waiters,
        "max_waiters": info.max_waiters,
        "wait_order": wait_order(info),
        "max_lease_ns": info.max_lease_ns,
        "min_lease_ns": info.min_lease_ns,
        "grace_ns": info.grace_ns,
        "recall_share_percent": info.recall_share,
        "recall_bound_ns": info.recall_bound_ns,
        "recall_worst_ns": info.recall_worst_ns,
        "uid_max_partitions": info.uid_max_partitions,
        "uid_max_leases": info.uid_max_leases,
        "uid_max_waiters": info.uid_max_waiters,
        "ceiling_refusals": info.ceiling_refusals,
        "broken_invariants": info.broken_invariants,
        "nodes": info.nodes,
        "page_size_bytes": info.page_size,
        "features": features(info.features),
        "abi_version": info.abi_version,
    })
}

/// `genpctl info`.
pub fn run(format: Format) -> Result<(), Problem> {
    let info = info()?;
    format.print(|| document(&info), || table(&info).show())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_features_are_shown_by_their_bits() {
        assert_eq!(features(0b1001), ["leases", "resize"]);
        assert_eq!(features(1 | (1 << 31)), ["leases", "0x80000000"]);
        assert_eq!(features(0), [""; 0]);
    }

    #[test]
    fn a_missing_device_is_told_from_a_missing_module() {
        let missing = io::Error::from_raw_os_error(libc::ENOENT);
        assert!(advice(&missing, false).contains("insmod"));
        assert!(advice(&missing, true).contains("devtmpfs"));
    }

    #[test]
    fn who_may_not_open_the_device_is_told_of_the_group() {
        let refused = io::Error::from_raw_os_error(libc::EACCES);
        assert!(advice(&refused, true).contains("adduser USER genp"));
    }
}
