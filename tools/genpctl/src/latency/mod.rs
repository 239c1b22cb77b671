// SPDX-License-Identifier: GPL-2.0

//! How long calls take on this machine, as cyclictest has it for wake-ups.

mod measure;
mod svg;
#[cfg(test)]
mod tests;

use std::{fs, io};

use genp::{
    abi::{self, genp_info},
    Partition,
};
use serde_json::{json, Value};

use crate::{
    cli::{CreateArgs, LatencyArgs},
    create, histogram,
    output::Format,
    pool,
    problem::Problem,
    size,
    table::Table,
    time,
};
use measure::{become_real_time, measure, Failure, Load, Series};

/// The quantiles that are shown.
const QUANTILES: [(&str, f64); 3] = [("median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)];

/// How often a call took how long, by powers of two as in the kernel's histograms.
fn counts(series: &Series) -> [u64; abi::GENP_HISTOGRAM_BUCKETS as usize] {
    let mut counts = [0; abi::GENP_HISTOGRAM_BUCKETS as usize];
    for step in series.times.iter_recorded() {
        let bucket = step.value_iterated_to().max(1).ilog2() as usize;
        let last = counts.len() - 1;
        if let Some(count) = counts.get_mut(bucket.min(last)) {
            *count += step.count_since_last_iteration();
        }
    }
    counts
}

/// The times of all calls, and a histogram of each.
fn text(all: &[Series]) -> String {
    let mut table = Table::new("lrrrrrrr");
    let quantiles = QUANTILES.map(|(name, _)| name);
    let heading = ["", "calls", "least"].into_iter().chain(quantiles);
    table.row(heading.chain(["most", "page faults"]));
    for series in all {
        let times = &series.times;
        let quantiles = QUANTILES.map(|(_, q)| time::short(times.value_at_quantile(q)));
        let first = [
            series.name.to_owned(),
            times.len().to_string(),
            time::short(times.min()),
        ];
        let last = [time::short(times.max()), series.faults.to_string()];
        table.row(first.into_iter().chain(quantiles).chain(last));
    }
    let charts = all
        .iter()
        .map(|series| histogram::chart(series.name, &counts(series)));
    let charts: Vec<_> = charts.collect();
    format!("{}\n{}", table.show(), charts.join("\n"))
}

/// The same for programs.
fn document(all: &[Series]) -> Value {
    let each = all.iter().map(|series| {
        let times = &series.times;
        json!({
            "operation": series.name,
            "count": times.len(),
            "least_ns": times.min(),
            "median_ns": times.value_at_quantile(0.5),
            "p99_ns": times.value_at_quantile(0.99),
            "p999_ns": times.value_at_quantile(0.999),
            "longest_ns": times.max(),
            "page_faults": series.faults,
            "buckets": histogram::buckets(&counts(series)),
        })
    });
    json!({ "operations": each.collect::<Vec<_>>() })
}

/// A document of a series.
#[cfg(test)]
pub fn sample() -> Value {
    document(&[Series::new("clock").unwrap()])
}

/// The partition to measure with.
fn partition(args: &LatencyArgs, info: &genp_info) -> Result<Partition, Problem> {
    let request = create::request(
        &CreateArgs {
            reserve: args.reserve,
            borrow: args.lease,
            ..Default::default()
        },
        info,
    )?;
    Partition::create_from(request).map_err(|error| create::refused(&request, "", error))
}

/// The problem if something could not be measured.
fn unmeasured(failure: &Failure) -> Problem {
    let advice = match failure.error.raw_os_error() {
        Some(libc::ENOMEM) => "Give a smaller --size or a larger --reserve.",
        Some(libc::ETIMEDOUT | libc::E2BIG | libc::ENOSPC) => {
            "Others have what could be lent: give a smaller --lease, or 0, or try later."
        }
        Some(libc::EAGAIN) => "The pool's share of recalls is used up: try again later.",
        _ => "See the kernel's log: dmesg.",
    };
    Problem::new(failure.what, &failure.error, advice)
}

/// The problem if this program cannot have a real-time priority.
fn unprivileged(error: &io::Error) -> Problem {
    Problem::new(
        "cannot become a real-time program",
        error,
        "Run this as root, raise the limits (ulimit -r, ulimit -l), or leave --priority out.",
    )
}

fn bytes(bytes: u64) -> Result<usize, Problem> {
    usize::try_from(bytes)
        .map_err(|error| Problem::new("cannot measure that size", error, "Give a smaller one."))
}

/// `genpctl latency`.
pub fn run(args: &LatencyArgs, format: Format) -> Result<(), Problem> {
    let info = pool::info()?;
    let load = Load {
        block: bytes(args.size)?,
        lease: bytes(args.lease)?,
        count: args.count,
    };
    let part = partition(args, &info)?;
    if let Some(priority) = args.priority {
        become_real_time(priority).map_err(|error| unprivileged(&error))?;
    }
    let all =
        measure(&part, info.page_size as usize, &load).map_err(|failure| unmeasured(&failure))?;
    drop(part);
    if let Some(path) = &args.svg {
        let named: Vec<_> = all
            .iter()
            .map(|series| (series.name, counts(series)))
            .collect();
        let what = format!("cannot write {}", path.display());
        let title = format!(
            "Blocks of {}, leases of {}",
            size::show(args.size),
            size::show(args.lease)
        );
        fs::write(path, svg::picture(&title, &named)).map_err(|error| {
            Problem::new(
                what,
                error,
                "Give a file that you may write, with room for it.",
            )
        })?;
    }
    format.print(|| document(&all), || text(&all))
}
