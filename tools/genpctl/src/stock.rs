// SPDX-License-Identifier: GPL-2.0

//! A calculator: how large an atomic stock must be, or whether a partition's suffices.

use std::process::ExitCode;

use genp::abi::genp_stat;
use genp_core::watermarks::{suffices, Burst, Suffices, Watermarks};

use serde_json::{json, Value};

use crate::{cli::StockArgs, output::Format, pool, problem::Problem, stat, table::Table};

/// The smallest number for which something holds that holds for all larger ones, if it
/// does for the largest.
fn smallest(holds: impl Fn(u32) -> bool) -> Option<u32> {
    let (mut low, mut high) = (1, u32::MAX);
    if !holds(high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    Some(low)
}

/// Pages of its own that always suffice.
fn always(burst: &Burst) -> Option<u32> {
    smallest(|pages| {
        let watermarks = Watermarks::new(pages, 0, 0);
        watermarks.and_then(|watermarks| suffices(&watermarks, burst)) == Some(Suffices::Always)
    })
}

/// The low watermark that suffices with refills, and the limit that goes with it.
fn with_slack(burst: &Burst) -> Option<(u32, u32)> {
    let holds = |low, limit| {
        let watermarks = Watermarks::new(low, limit, low);
        let answer = watermarks.and_then(|watermarks| suffices(&watermarks, burst));
        answer.is_some_and(|answer| answer >= Suffices::WithSlack)
    };
    let low = smallest(|low| holds(low, u32::MAX))?;
    Some((low, smallest(|limit| holds(low, limit))?))
}

/// The answer for a stock there is: for people, for programs, and the status.
fn judge(watermarks: &Watermarks, burst: &Burst) -> (&'static str, &'static str, ExitCode) {
    match suffices(watermarks, burst) {
        Some(Suffices::Always) => ("suffices, whatever others do", "always", ExitCode::SUCCESS),
        Some(Suffices::WithSlack) => (
            "suffices while the pool has frames to refill from",
            "with_refills",
            ExitCode::SUCCESS,
        ),
        _ => ("does not suffice", "no", ExitCode::FAILURE),
    }
}

/// What suffices, for programs.
fn document(burst: &Burst, judged: Option<(&str, &str)>) -> Value {
    let slack = with_slack(burst);
    json!({
        "always_pages": always(burst),
        "with_refills_low_pages": slack.map(|(low, _)| low),
        "with_refills_limit_pages": slack.map(|(_, limit)| limit),
        "name": judged.map(|(name, _)| name),
        "suffices": judged.map(|(_, answer)| answer),
    })
}

/// A row for pages, or for their lack.
fn pages(count: Option<u32>) -> String {
    count.map_or("more than there can be".to_owned(), |count| {
        format!("{count} pages")
    })
}

fn marks_of(stat: &genp_stat) -> Watermarks {
    Watermarks::new(stat.stock_pages, stat.stock_limit, stat.stock_low).unwrap_or(Watermarks::NONE)
}

/// `genpctl stock`.
pub fn run(args: &StockArgs, format: Format) -> Result<ExitCode, Problem> {
    let burst = Burst {
        pages: args.burst,
        period_ns: args.period,
        hold_ns: args.hold,
        refill_ns: args.refill.unwrap_or(u64::MAX),
    };
    let mut table = Table::new("ll");
    table.pair("stock that always suffices", pages(always(&burst)));
    if args.refill.is_some() {
        let found = with_slack(&burst);
        table.pair(
            "with refills, low watermark",
            pages(found.map(|(low, _)| low)),
        );
        table.pair("  and limit", pages(found.map(|(_, limit)| limit)));
    }
    let mut status = ExitCode::SUCCESS;
    let mut judged = None;
    if let Some(name) = &args.name {
        pool::info()?;
        let (answer, word, found) = judge(&marks_of(&stat::ask(name)?), &burst);
        table.pair(name.as_str(), answer);
        judged = Some((name.as_str(), word));
        status = found;
    }
    format.print(|| document(&burst, judged), || table.show())?;
    Ok(status)
}

/// A document of a burst.
#[cfg(test)]
pub fn sample() -> Value {
    let burst = Burst {
        pages: 1,
        period_ns: 1,
        hold_ns: 1,
        refill_ns: 1,
    };
    document(&burst, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BURST: Burst = Burst {
        pages: 32,
        period_ns: 250_000,
        hold_ns: 1_000_000,
        refill_ns: 100_000,
    };

    #[test]
    fn the_smallest_stock_is_the_one_of_the_documentation() {
        assert_eq!(always(&BURST), Some(160));
        assert_eq!(with_slack(&BURST), Some((64, 224)));
    }

    #[test]
    fn programs_get_the_same_numbers() {
        let document = document(&BURST, Some(("a", "no")));
        assert_eq!(document["always_pages"], 160);
        assert_eq!(document["with_refills_low_pages"], 64);
        assert_eq!(
            (&document["name"], &document["suffices"]),
            (&"a".into(), &"no".into())
        );
    }

    #[test]
    fn what_can_never_suffice_is_said_so() {
        let forever = Burst {
            hold_ns: u64::MAX,
            ..BURST
        };
        assert_eq!(always(&forever), None);
        assert_eq!(with_slack(&forever), None);
    }

    #[test]
    fn a_stock_is_judged() {
        let judged = |pages, limit, low| {
            let watermarks = Watermarks::new(pages, limit, low).unwrap();
            judge(&watermarks, &BURST).0
        };
        assert!(judged(160, 0, 0).contains("whatever others do"));
        assert!(judged(64, 224, 64).contains("refill"));
        assert!(judged(64, 223, 64).contains("not"));
    }
}
