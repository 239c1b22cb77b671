// SPDX-License-Identifier: GPL-2.0

//! The lines of a partition's file in /proc/PID/fdinfo.

use kernel::{seq_file::SeqFile, seq_print};

use crate::genp::partition::Partition;

/// Writes a line for each value. Context: thread.
pub(super) fn show(partition: &Partition, m: &SeqFile) {
    let stat = partition.stat();
    let name = ::core::str::from_utf8(partition.name()).unwrap_or("");
    seq_print!(m, "genp-name:\t{name}\n");
    let rows: [(&str, u64); 20] = [
        ("reserve", stat.reserve),
        ("borrow-limit", stat.borrow_limit),
        ("used", stat.used),
        ("lent", stat.lent),
        ("regions", stat.regions.into()),
        ("leases", stat.leases.into()),
        ("waiters", stat.waiters.into()),
        ("dying", stat.dying.into()),
        ("borrows", stat.borrows),
        ("returns", stat.returns),
        ("revocations", stat.revocations),
        ("timeouts", stat.timeouts),
        ("misuses", stat.misuses),
        ("stale-handles", stat.stale_handles),
        ("overdues", stat.overdues),
        ("stock-owned", stat.stock_owned.into()),
        ("stock-free", stat.stock_free.into()),
        ("stock-out", stat.stock_out.into()),
        ("stock-takes", stat.stock_takes),
        ("stock-misses", stat.stock_misses),
    ];
    // loop-bound: 20
    for (key, value) in rows {
        seq_print!(m, "genp-{key}:\t{value}\n");
    }
}
