// SPDX-License-Identifier: GPL-2.0

//! The bounds of a partition.

use genp::{abi::genp_bounds, Descriptor};

use crate::{
    cli::BoundsArgs, operation::Operation, output, pool, problem::Problem, size, table::Table, time,
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

/// `genpctl bounds`.
pub fn run(args: &BoundsArgs) -> Result<(), Problem> {
    let name = &args.name;
    pool::info()?;
    let part = Descriptor::open(name).map_err(|error| Problem::opening(name, &error))?;
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
    output::print(&table(&bounds).show())
}
