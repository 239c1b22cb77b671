// SPDX-License-Identifier: GPL-2.0

//! The bounds of a partition.

use genp::abi::genp_bounds;

use serde_json::{json, Map, Value};

use crate::{
    cli::BoundsArgs, operation::Operation, output::Format, pool, problem::Problem, rights, size,
    table::Table, time,
};

/// The bounds as a table.
fn table(bounds: &genp_bounds) -> Table {
    let mut table = Table::new("lr");
    if bounds.live_bytes != 0 {
        table.pair("live", size::show(bounds.live_bytes));
        table.pair("largest request", size::show(bounds.largest_request));
        table.pair("reserve that suffices", size::show(bounds.worst_reserve));
    }
    table.pair("largest free", size::show(bounds.largest_free));
    for (op, longest) in Operation::ALL.iter().zip(bounds.longest_ns) {
        table.pair(&format!("longest {}", op.name()), time::show(longest));
    }
    table.pair("longest locked", time::show(bounds.locked_longest_ns));
    table.pair("R, the longest recall", time::show(bounds.recall_bound_ns));
    table.pair("  so far", time::show(bounds.recall_worst_ns));
    table.pair("wait bound of the 1st", time::show(bounds.wait_bound_ns));
    table.pair("recall work a second", time::show(bounds.recall_work_ns));
    table.pair("and at once", time::show(bounds.recall_burst_ns));
    table
}

/// The bounds as a document.
pub fn document(name: &str, bounds: &genp_bounds) -> Value {
    let asked = bounds.live_bytes != 0;
    let longest = Operation::ALL.iter().zip(bounds.longest_ns);
    let longest: Map<_, _> = longest
        .map(|(op, ns)| (op.name().to_owned(), ns.into()))
        .collect();
    json!({
        "name": name,
        "live_bytes": asked.then_some(bounds.live_bytes),
        "largest_request_bytes": asked.then_some(bounds.largest_request),
        "worst_reserve_bytes": asked.then_some(bounds.worst_reserve),
        "largest_free_bytes": bounds.largest_free,
        "longest_ns": longest,
        "locked_longest_ns": bounds.locked_longest_ns,
        "recall_bound_ns": bounds.recall_bound_ns,
        "recall_worst_ns": bounds.recall_worst_ns,
        "wait_bound_ns": bounds.wait_bound_ns,
        "recall_work_ns": bounds.recall_work_ns,
        "recall_burst_ns": bounds.recall_burst_ns,
    })
}

/// `genpctl bounds`.
pub fn run(args: &BoundsArgs, format: Format) -> Result<(), Problem> {
    let name = &args.name;
    pool::info()?;
    let part = rights::open_to_look(name).map_err(|error| Problem::opening(name, &error))?;
    let (live, largest) = (args.live.unwrap_or(0), args.largest.unwrap_or(0));
    let bounds = part
        .bounds(live, largest)
        .map_err(|error| match error.raw_os_error() {
            Some(libc::E2BIG) => Problem::new(
                "cannot say which reserve suffices",
                "no number is large enough (E2BIG)",
                "Ask for a smaller --live or --largest.",
            ),
            _ => Problem::asking(name, &error),
        })?;
    format.print(|| document(name, &bounds), || table(&bounds).show())
}
