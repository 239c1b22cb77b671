// SPDX-License-Identifier: GPL-2.0

//! The state and the counters of a partition.

use genp::{
    abi::{self, genp_stat, genp_windows},
    Descriptor,
};

use serde_json::{json, Value};

use crate::{
    blocks, child,
    output::Format,
    partitions::{self, told},
    pool,
    problem::Problem,
    rights, size,
    table::Table,
};

/// Queries the partition with this name. Closes it at once, so that it can
/// end.
pub fn ask(name: &str) -> Result<genp_stat, Problem> {
    let part = open(name)?;
    part.stat().map_err(|error| Problem::asking(name, &error))
}

fn open(name: &str) -> Result<Descriptor, Problem> {
    rights::open_to_look(name).map_err(|error| Problem::opening(name, &error))
}

/// The usage, its limits and its peaks.
pub fn usage(title: &str, stat: &genp_stat) -> Table {
    let mut table = Table::new("lr");
    table.row([title, "now", "of", "peak"]);
    let bytes = [
        ("reserve used", stat.used, stat.reserve, stat.used_peak),
        ("lent", stat.lent, stat.borrow_limit, stat.lent_peak),
    ];
    for (label, now, most, peak) in bytes {
        table.row([
            label.to_owned(),
            size::show(now),
            size::show(most),
            size::show(peak),
        ]);
    }
    if let Some((now, peak)) = told(stat.heap_used).zip(told(stat.heap_peak)) {
        let [now, most, peak] = [now, stat.reserve, peak].map(size::show);
        table.row(["heap".to_owned(), now, most, peak]);
    }
    for (label, now, most) in [
        ("regions", stat.regions, stat.max_regions),
        ("leases", stat.leases, stat.max_leases),
    ] {
        table.row([label.to_owned(), now.to_string(), most.to_string()]);
    }
    table.pair("waiters", stat.waiters);
    if stat.stock_pages != 0 {
        let [free, owned] = [stat.stock_free, stat.stock_owned].map(|pages| pages.to_string());
        table.row(["stock pages free".to_owned(), free, owned]);
        table.pair("stock pages out", stat.stock_out);
    }
    blocks::rows(&stat.blocks_free, &stat.blocks, &mut table);
    child::rows(stat, &mut table);
    table
}

/// All counters, with their names.
pub fn counters(stat: &genp_stat) -> [(&'static str, u64); 31] {
    [
        ("allocs", stat.allocs),
        ("frees", stat.frees),
        ("alloc failures", stat.alloc_failures),
        ("borrows", stat.borrows),
        ("returns", stat.returns),
        ("renewals", stat.renewals),
        ("recalls", stat.recalls),
        ("revocations", stat.revocations),
        ("waits", stat.waits),
        ("timeouts", stat.timeouts),
        ("interruptions", stat.interruptions),
        ("budget refusals", stat.budget_refusals),
        ("pool refusals", stat.pool_refusals),
        ("table refusals", stat.table_refusals),
        ("pace refusals", stat.pace_refusals),
        ("ceiling refusals", stat.ceiling_refusals),
        ("misuses", stat.misuses),
        ("stale handles", stat.stale_handles),
        ("events lost", stat.events_lost),
        ("memory errors", stat.memory_errors),
        ("stock takes", stat.stock_takes),
        ("stock gives", stat.stock_gives),
        ("stock misses", stat.stock_misses),
        ("stock refills", stat.stock_refills),
        ("stock drains", stat.stock_drains),
        ("emergency takes", stat.emergency_takes),
        ("block takes", stat.block_takes),
        ("block gives", stat.block_gives),
        ("block misses", stat.block_misses),
        ("overdues", stat.overdues),
        ("mapping refusals", stat.mapping_refusals),
    ]
}

/// Rows with the offsets and lengths of the windows.
pub fn windows(windows: &genp_windows, max_leases: u32, table: &mut Table) {
    let slices = u64::from(max_leases.max(1));
    table.pair(
        "reserve",
        format!(
            "{} at offset {:#x}",
            size::show(windows.reserve_length),
            windows.reserve_offset
        ),
    );
    table.pair(
        "lease window",
        format!(
            "{} at offset {:#x}: {max_leases} slices of {}",
            size::show(windows.lease_length),
            windows.lease_offset,
            size::show(windows.lease_length / slices),
        ),
    );
}

/// The attributes of the partition, which were fixed at its creation.
fn attributes(name: &str, stat: &genp_stat) -> Table {
    let mut table = Table::new("ll");
    table.pair("name", name);
    table.pair(
        "state",
        if stat.dying == 0 {
            "alive"
        } else {
            "destroyed"
        },
    );
    windows(&stat.windows, stat.max_leases, &mut table);
    if stat.stock_pages != 0 {
        table.pair(
            "stock",
            format!(
                "{} pages, up to {}, refilled below {}",
                stat.stock_pages, stat.stock_limit, stat.stock_low
            ),
        );
    }
    let unit = 1u64.checked_shl(stat.min_alloc_order).unwrap_or(0);
    table.pair("regions in", format!("multiples of {}", size::show(unit)));
    if let Some(parent) = partitions::parent(stat.parent) {
        table.pair(
            "part of",
            format!("partition {parent}, at depth {}", stat.depth),
        );
    }
    match stat.node {
        abi::GENP_ANY_NODE => table.pair("memory node", "any"),
        node => table.pair("memory node", node),
    }
    table
}

/// The windows for programs.
pub fn windows_document(windows: &genp_windows) -> Value {
    json!({
        "reserve_offset_bytes": windows.reserve_offset,
        "reserve_length_bytes": windows.reserve_length,
        "lease_offset_bytes": windows.lease_offset,
        "lease_length_bytes": windows.lease_length,
    })
}

/// All of it for programs; the counters by the names of struct genp_stat.
pub fn document(name: &str, stat: &genp_stat) -> Value {
    let counters = counters(stat).map(|(label, count)| (label.replace(' ', "_"), count.into()));
    json!({
        "name": name,
        "destroyed": stat.dying != 0,
        "reserve_bytes": stat.reserve,
        "used_bytes": stat.used,
        "used_peak_bytes": stat.used_peak,
        "heap_used_bytes": told(stat.heap_used),
        "heap_peak_bytes": told(stat.heap_peak),
        "borrow_limit_bytes": stat.borrow_limit,
        "lent_bytes": stat.lent,
        "lent_peak_bytes": stat.lent_peak,
        "regions": stat.regions,
        "max_regions": stat.max_regions,
        "leases": stat.leases,
        "max_leases": stat.max_leases,
        "waiters": stat.waiters,
        "region_unit_bytes": 1u64.checked_shl(stat.min_alloc_order),
        "node": (stat.node != abi::GENP_ANY_NODE).then_some(stat.node),
        "stock_pages": stat.stock_pages,
        "stock_limit_pages": stat.stock_limit,
        "stock_low_pages": stat.stock_low,
        "stock_owned_pages": stat.stock_owned,
        "stock_free_pages": stat.stock_free,
        "stock_out_pages": stat.stock_out,
        "blocks": stat.blocks,
        "blocks_free": stat.blocks_free,
        "blocks_out": stat.blocks_out,
        "quota_bytes": stat.quota,
        "quota_used_bytes": stat.quota_used,
        "borrow_given_bytes": stat.borrow_given,
        "parent": partitions::parent(stat.parent),
        "depth": stat.depth,
        "children": stat.children,
        "children_left": stat.children_left,
        "windows": windows_document(&stat.windows),
        "counters": Value::Object(counters.into_iter().collect()),
    })
}

/// `genpctl stat`.
pub fn run(name: &str, format: Format) -> Result<(), Problem> {
    pool::info()?;
    let part = open(name)?;
    let stat = part.stat();
    let stat = stat.map_err(|error| Problem::asking(name, &error))?;
    let holders = partitions::holders_of(&part);
    drop(part);
    let text = || {
        let mut counts = Table::new("lr");
        for (label, count) in counters(&stat) {
            counts.pair(label, count);
        }
        let mut fixed = attributes(name, &stat);
        let each = holders.iter().map(|&(pid, bits)| rights::holder(pid, bits));
        fixed.pair("processes", each.collect::<Vec<_>>().join(" "));
        let tables = [fixed, usage("", &stat), counts];
        tables.map(|table| table.show()).join("\n")
    };
    let with_holders = || {
        let mut document = document(name, &stat);
        let each = holders.iter();
        document["processes"] = each.clone().map(|(pid, _)| *pid).collect();
        document["rights"] = each.map(|(_, bits)| rights::names(*bits)).collect();
        document
    };
    format.print(with_holders, text)
}
