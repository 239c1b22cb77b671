// SPDX-License-Identifier: GPL-2.0

//! What is watched: the pool and all partitions at one time, and what changed since the
//! last time.

use std::{collections::BTreeMap, time::Duration};

use genp::abi::genp_info;

use crate::{
    partitions::{self, Counts, Found, Partition, Source},
    pool,
    problem::Problem,
    stat,
};

/// The pool and its partitions at one time.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub pool: genp_info,
    pub partitions: Vec<Partition>,
    pub source: Option<Source>,
}

/// How often something happened in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    pub borrows: f64,
    pub returns: f64,
    pub revocations: f64,
}

/// A partition, and what is worth saying of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub partition: Partition,
    /// Since the last sample; `None` if there is none, or nothing is known.
    pub rates: Option<Rates>,
    /// In words, the most urgent first.
    pub alarms: Vec<&'static str>,
}

/// What is shown.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub pool: genp_info,
    pub alarms: Vec<&'static str>,
    pub lines: Vec<Line>,
    pub source: Option<Source>,
}

/// The counters of a partition that can be opened by its name.
fn counts(name: &str) -> Option<Counts> {
    let stat = stat::ask(name).ok()?;
    Some(Counts {
        borrows: stat.borrows,
        returns: stat.returns,
        revocations: stat.revocations,
        timeouts: stat.timeouts,
        misuses: stat.misuses,
        stale_handles: stat.stale_handles,
        stock_misses: stat.stock_misses,
    })
}

/// All partitions that can be seen, with their counters as far as these can be had.
pub fn counted() -> Result<Found, Problem> {
    let mut found = partitions::all()?;
    for part in &mut found.all {
        if part.counts.is_none() && !part.name.is_empty() {
            part.counts = counts(&part.name);
        }
    }
    Ok(found)
}

/// Looks at the pool and at all partitions that can be seen.
pub fn take() -> Result<Sample, Problem> {
    let pool = pool::info()?;
    let Found { all, source } = counted()?;
    Ok(Sample {
        pool,
        partitions: all,
        source,
    })
}

/// By what a partition is found in the next sample.
fn key(part: &Partition) -> (Option<u64>, &str, &[u32]) {
    // The processes that have it tell apart those without a name or number.
    let holders: &[u32] = match part.name.as_str() {
        "" => &part.holders,
        _ => &[],
    };
    (part.id, &part.name, holders)
}

/// How often a counter rose in a second. One that fell is of another partition that has
/// the name now.
fn rate(now: u64, before: u64, seconds: f64) -> f64 {
    now.saturating_sub(before) as f64 / seconds
}

fn rates(now: &Counts, before: &Counts, time: Duration) -> Option<Rates> {
    let seconds = time.as_secs_f64();
    (seconds > 0.0).then(|| Rates {
        borrows: rate(now.borrows, before.borrows, seconds),
        returns: rate(now.returns, before.returns, seconds),
        revocations: rate(now.revocations, before.revocations, seconds),
    })
}

/// What is to be looked at in a partition.
fn alarms(part: &Partition, before: Option<&Counts>) -> Vec<&'static str> {
    let mut alarms = Vec::new();
    if let (Some(now), Some(before)) = (&part.counts, before) {
        let rose = [
            (now.misuses, before.misuses, "misuse"),
            (now.stale_handles, before.stale_handles, "stale handle"),
            (now.revocations, before.revocations, "revoked"),
            (now.timeouts, before.timeouts, "timeout"),
            (now.stock_misses, before.stock_misses, "stock missed"),
        ];
        alarms.extend(
            rose.iter()
                .filter(|(now, before, _)| now > before)
                .map(|it| it.2),
        );
    }
    if part.stock_owned > 0 && part.stock_free == 0 {
        alarms.push("stock empty");
    }
    if part.waiters > 0 {
        alarms.push("waiting");
    }
    // As GENP_EVENT_BUDGET_LOW.
    if part.limit > 0 && part.limit.saturating_sub(part.lent) < part.limit / 8 {
        alarms.push("budget low");
    }
    alarms
}

/// What is to be looked at in the pool.
fn pool_alarms(pool: &genp_info) -> Vec<&'static str> {
    let all = [
        (pool.broken_invariants > 0, "broken invariants"),
        (pool.poisoned > 0, "memory errors"),
        (pool.overdue > 0, "overdue"),
        (
            pool.recall_worst_ns > pool.recall_bound_ns && pool.recall_bound_ns > 0,
            "recall above its bound",
        ),
        (pool.waiters > 0, "waiting"),
        (pool.free < pool.capacity / 8, "free low"),
        (pool.quarantined > 0, "quarantine"),
    ];
    let raised = all.iter().filter(|(raised, _)| *raised);
    raised.map(|(_, words)| *words).collect()
}

impl View {
    /// What is shown of a sample, `time` after the one before it.
    pub fn new(now: Sample, before: Option<(&Sample, Duration)>) -> Self {
        let earlier: BTreeMap<_, _> = before
            .iter()
            .flat_map(|(sample, _)| &sample.partitions)
            .filter_map(|part| Some((key(part), part.counts?)))
            .collect();
        let time = before.map_or(Duration::ZERO, |(_, time)| time);
        let line = |part: &Partition| {
            let before = earlier.get(&key(part));
            let both = part.counts.as_ref().zip(before);
            Line {
                rates: both.and_then(|(now, before)| rates(now, before, time)),
                alarms: alarms(part, before),
                partition: part.clone(),
            }
        };
        Self {
            alarms: pool_alarms(&now.pool),
            lines: now.partitions.iter().map(line).collect(),
            pool: now.pool,
            source: now.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, borrows: u64, misuses: u64) -> Partition {
        Partition {
            name: name.to_owned(),
            counts: Some(Counts {
                borrows,
                misuses,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn sample(partitions: Vec<Partition>) -> Sample {
        Sample {
            partitions,
            ..Default::default()
        }
    }

    #[test]
    fn rates_are_those_of_the_same_partition() {
        let before = sample(vec![part("a", 10, 0), part("b", 10, 1)]);
        let now = sample(vec![part("b", 40, 1), part("new", 7, 7)]);
        let view = View::new(now, Some((&before, Duration::from_secs(2))));
        assert_eq!(view.lines[0].rates.unwrap().borrows, 15.0);
        assert!(view.lines[0].alarms.is_empty());
        assert_eq!((view.lines[1].rates, view.lines[1].alarms.len()), (None, 0));
    }

    #[test]
    fn nothing_has_a_rate_at_first() {
        let view = View::new(sample(vec![part("a", 10, 3)]), None);
        assert_eq!((view.lines[0].rates, view.lines[0].alarms.len()), (None, 0));
    }

    #[test]
    fn another_partition_of_the_name_has_no_negative_rate() {
        let before = sample(vec![part("a", 10, 3)]);
        let now = sample(vec![part("a", 1, 0)]);
        let view = View::new(now, Some((&before, Duration::from_secs(1))));
        assert_eq!(view.lines[0].rates.unwrap().borrows, 0.0);
    }

    #[test]
    fn what_is_wrong_with_a_partition_is_said() {
        let before = sample(vec![part("a", 0, 1)]);
        let mut bad = part("a", 0, 2);
        (bad.waiters, bad.limit, bad.lent) = (1, 800, 701);
        (bad.stock_owned, bad.stock_free) = (4, 0);
        let view = View::new(sample(vec![bad.clone()]), Some((&before, Duration::ZERO)));
        let expected = ["misuse", "stock empty", "waiting", "budget low"];
        assert_eq!(view.lines[0].alarms, expected);
        bad.lent = 700;
        assert!(!alarms(&bad, None).contains(&"budget low"));
    }

    #[test]
    fn what_is_wrong_with_the_pool_is_said() {
        let mut pool = genp_info {
            capacity: 800,
            free: 100,
            recall_bound_ns: 5,
            recall_worst_ns: 5,
            ..Default::default()
        };
        assert!(pool_alarms(&pool).is_empty());
        (pool.free, pool.recall_worst_ns, pool.overdue) = (99, 6, 1);
        let expected = ["overdue", "recall above its bound", "free low"];
        assert_eq!(pool_alarms(&pool), expected);
    }
}
