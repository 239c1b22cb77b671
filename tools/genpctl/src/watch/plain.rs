// SPDX-License-Identifier: GPL-2.0

//! The text of a view, for outputs that are no terminal.

use genp::abi::genp_info;

use super::sample::View;
use crate::{size, stat, table::Table, time};

/// Counters in a line, for 80 columns.
const ACROSS: usize = 5;
/// Lines of them, for 24 lines in all: `genpctl stat` has the last few, too.
const LINES: usize = 3;

/// The pool in few lines.
fn pool_table(info: &genp_info) -> Table {
    let mut table = Table::new("lr");
    table.row(["pool", "now", "of"]);
    let bytes = [
        ("committed", info.committed, info.capacity),
        ("quarantined", info.quarantined, info.committed),
        ("lent", info.lent, info.capacity),
        ("free", info.free, info.capacity),
        ("clean", info.clean, info.free),
    ];
    for (label, now, most) in bytes {
        table.row([label.to_owned(), size::show(now), size::show(most)]);
    }
    let counts = [
        ("partitions", info.partitions, info.max_partitions),
        ("leases", info.leases, info.max_leases),
        ("waiters", info.waiters, info.max_waiters),
    ];
    for (label, now, most) in counts {
        table.row([label.to_owned(), now.to_string(), most.to_string()]);
    }
    table.pair("worst recall", time::show(info.recall_worst_ns));
    table.pair("  of at most", time::show(info.recall_bound_ns));
    table
}

/// A partition in few lines, or why there are none.
pub fn partition(name: &str) -> String {
    let stat = match stat::ask(name) {
        Ok(stat) => stat,
        Err(problem) => return format!("{problem}\n"),
    };
    let mut text = stat::usage(name, &stat).show();
    let mut counts = Table::new("r");
    for some in stat::counters(&stat).chunks(ACROSS).take(LINES) {
        counts.row(some.iter().map(|(label, _)| *label));
        counts.row(some.iter().map(|(_, count)| count.to_string()));
    }
    text.push_str(&counts.show());
    text
}

/// A view without a terminal, and the partition that was named.
pub fn text(view: &View, name: Option<&str>) -> String {
    let mut text = pool_table(&view.pool).show();
    if !view.alarms.is_empty() {
        text.push_str(&format!("alarms: {}\n", view.alarms.join(", ")));
    }
    text.push('\n');
    let mut table = Table::new("lrrrrrrl");
    table.row([
        "partition",
        "used",
        "reserve",
        "lent",
        "limit",
        "waiting",
        "borrow/s",
        "alarms",
    ]);
    for line in &view.lines {
        let part = &line.partition;
        let name = match part.name.as_str() {
            "" => "-",
            name => name,
        };
        let bytes = [part.used, part.reserve, part.lent, part.limit].map(size::show);
        let rate = line.rates.map(|rates| format!("{:.1}", rates.borrows));
        let rest = [
            part.waiters.to_string(),
            rate.unwrap_or_else(|| "-".to_owned()),
            line.alarms.join(", "),
        ];
        table.row([name.to_owned()].into_iter().chain(bytes).chain(rest));
    }
    text.push_str(&table.show());
    if let Some(name) = name {
        text.push('\n');
        text.push_str(&partition(name));
    }
    text.push('\n');
    text
}
