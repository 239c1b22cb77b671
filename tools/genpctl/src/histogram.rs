// SPDX-License-Identifier: GPL-2.0

//! The histogram of the durations of an operation.

use serde_json::{json, Value};

use crate::{
    cli::HistogramArgs, operation::Operation, output::Format, pool, problem::Problem, rights,
    table::Table, time,
};

/// The length of the longest bar.
const BAR: u64 = 40;

/// The limits of bucket `k` of `buckets`: from, and below; the last one has no upper
/// limit.
fn limits(k: usize, buckets: usize) -> (String, String) {
    let power = |k: usize| time::short(1u64.checked_shl(k as u32).unwrap_or(u64::MAX));
    let from = if k == 0 { time::short(0) } else { power(k) };
    let below = if k + 1 < buckets {
        power(k + 1)
    } else {
        "more".to_owned()
    };
    (from, below)
}

/// The counts for programs, with the limits of each bucket.
pub fn buckets(counts: &[u64]) -> Vec<Value> {
    let buckets = counts.iter().enumerate().map(|(k, &count)| {
        let from = if k == 0 { 0 } else { 1u64 << k };
        let below = (k + 1 < counts.len()).then(|| 1u64 << (k + 1));
        json!({ "from_ns": from, "below_ns": below, "count": count })
    });
    buckets.collect()
}

/// The histogram for programs.
pub fn document(name: &str, op: Operation, counts: &[u64]) -> Value {
    json!({
        "name": name,
        "operation": op.name(),
        "buckets": buckets(counts),
    })
}

/// The bar for a count: empty only for 0.
fn bar(count: u64, most: u64) -> String {
    let length = (u128::from(count) * u128::from(BAR)).div_ceil(u128::from(most.max(1)));
    "#".repeat(usize::try_from(length).unwrap_or(0))
}

/// The counts as bars, from the first bucket that has any to the last.
pub fn chart(title: &str, counts: &[u64]) -> String {
    let Some(first) = counts.iter().position(|&count| count != 0) else {
        return format!("{title}: never yet\n");
    };
    let last = counts
        .iter()
        .rposition(|&count| count != 0)
        .unwrap_or(first);
    let most = counts.iter().copied().max().unwrap_or(0);
    let sum = counts.iter().fold(0u64, |sum, &n| sum.saturating_add(n));
    let mut table = Table::new("rrrl");
    table.row(["from", "below", "count"]);
    for (k, &count) in counts.iter().enumerate().take(last + 1).skip(first) {
        let (from, below) = limits(k, counts.len());
        table.row([from, below, count.to_string(), bar(count, most)]);
    }
    format!("{title}: {sum} times\n{}", table.show())
}

/// `genpctl histogram`.
pub fn run(args: &HistogramArgs, format: Format) -> Result<(), Problem> {
    let name = &args.name;
    pool::info()?;
    let part = rights::open_to_look(name).map_err(|error| Problem::opening(name, &error))?;
    let counts = part
        .histogram(args.op.number())
        .map_err(|error| Problem::asking(name, &error))?;
    format.print(
        || document(name, args.op, &counts),
        || chart(args.op.name(), &counts),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use genp::abi;

    #[test]
    fn buckets_are_labelled_by_powers_of_two() {
        let label = |k| limits(k, abi::GENP_HISTOGRAM_BUCKETS as usize);
        let expected = [
            (0, "0 ns", "2 ns"),
            (1, "2 ns", "4 ns"),
            (9, "512 ns", "1.02 us"),
            (14, "16.4 us", "32.8 us"),
            (19, "524 us", "1.05 ms"),
            (29, "537 ms", "1.07 s"),
            (39, "550 s", "more"),
        ];
        for (k, from, below) in expected {
            assert_eq!(label(k), (from.to_owned(), below.to_owned()));
        }
    }

    #[test]
    fn bars_are_in_proportion_and_never_lost() {
        assert_eq!(bar(100, 100).len(), 40);
        assert_eq!(bar(50, 100).len(), 20);
        assert_eq!(bar(1, u64::MAX).len(), 1);
        assert_eq!(bar(u64::MAX, u64::MAX).len(), 40);
        assert_eq!(bar(0, 100).len(), 0);
        assert_eq!(bar(0, 0).len(), 0);
    }

    #[test]
    fn charts_begin_and_end_where_there_is_something() {
        let mut counts = [0; 40];
        assert_eq!(chart("free", &counts), "free: never yet\n");
        (counts[2], counts[4]) = (1, 4);
        let text = chart("free", &counts);
        assert_eq!(text.lines().count(), 5);
        assert!(text.starts_with("free: 5 times\n"));
        assert!(text.ends_with(&format!("4  {}\n", "#".repeat(40))));
    }
}
