// SPDX-License-Identifier: GPL-2.0

//! The state and the counters of a partition.

use genp::{
    abi::{self, genp_stat, genp_windows},
    Descriptor,
};

use crate::{output, pool, problem::Problem, size, table::Table};

/// Queries the partition with this name. Closes it at once, so that it can
/// end.
pub fn ask(name: &str) -> Result<genp_stat, Problem> {
    let part = Descriptor::open(name).map_err(|error| Problem::opening(name, &error))?;
    part.stat().map_err(|error| Problem::asking(name, &error))
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
    table
}

/// All counters, with their names.
pub fn counters(stat: &genp_stat) -> [(&'static str, u64); 28] {
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
    match stat.node {
        abi::GENP_ANY_NODE => table.pair("memory node", "any"),
        node => table.pair("memory node", node),
    }
    table
}

/// `genpctl stat`.
pub fn run(name: &str) -> Result<(), Problem> {
    pool::info()?;
    let stat = ask(name)?;
    let mut counts = Table::new("lr");
    for (label, count) in counters(&stat) {
        counts.pair(label, count);
    }
    let tables = [attributes(name, &stat), usage("", &stat), counts];
    output::print(&tables.map(|table| table.show()).join("\n"))
}
