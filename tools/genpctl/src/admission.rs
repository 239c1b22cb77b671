// SPDX-License-Identifier: GPL-2.0

//! A calculator: which reserves would be admitted now, and what that would leave.

use std::process::ExitCode;

use genp::abi::genp_info;

use crate::{cli::AdmissionArgs, output, pool, problem::Problem, size, sysfs, table::Table, time};

/// What would become of a reserve. The module looks for these in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// It is more than the pool has.
    TooBig,
    /// So much is free, and that is less.
    NoFrames(u64),
    /// The user may have so much more, and that is less.
    Ceiling(u64),
    /// There would be too many partitions.
    NoPlace,
    /// It would be admitted.
    Admitted,
}

impl Answer {
    /// The answer for people.
    fn show(self) -> String {
        match self {
            Self::TooBig => "refused: more than the whole pool (E2BIG)".to_owned(),
            Self::NoFrames(free) => format!("refused: {} are free (ENOSPC)", size::show(free)),
            Self::Ceiling(left) => format!(
                "refused: the user's ceiling leaves {} (ENOSPC)",
                size::show(left)
            ),
            Self::NoPlace => "refused: no place for another partition (ENOSPC)".to_owned(),
            Self::Admitted => "admitted".to_owned(),
        }
    }
}

/// The pool after everything that was admitted.
#[derive(Debug, PartialEq)]
struct Outcome {
    answers: Vec<Answer>,
    /// Bytes that could be lent at once.
    free: u64,
    /// Bytes that could be lent when every lease is back.
    lendable: u64,
}

/// Asks for one reserve after the other. `ceiling` is the most that all of them
/// may have together.
fn admit(info: &genp_info, ceiling: Option<u64>, reserves: &[u64]) -> Outcome {
    let mut free = info.free;
    let mut left = ceiling.unwrap_or(u64::MAX);
    let mut places = info.max_partitions.saturating_sub(info.partitions);
    let mut answers = Vec::new();
    for &reserve in reserves {
        let answer = match reserve {
            _ if reserve > info.capacity => Answer::TooBig,
            _ if reserve > free => Answer::NoFrames(free),
            _ if reserve > left => Answer::Ceiling(left),
            _ if places == 0 => Answer::NoPlace,
            _ => Answer::Admitted,
        };
        if answer == Answer::Admitted {
            free -= reserve;
            left -= reserve;
            places -= 1;
        }
        answers.push(answer);
    }
    Outcome {
        answers,
        free,
        lendable: free.saturating_add(info.lent),
    }
}

/// The longest wait of who is `k`-th to be served.
fn wait_bound(info: &genp_info, k: u32) -> u64 {
    let first = info.max_lease_ns.saturating_add(info.recall_worst_ns);
    first.saturating_mul(k.into())
}

/// The places in the queue that are worth a line: the first ones, who came next
/// now, and the last.
fn places(info: &genp_info) -> Vec<u32> {
    let mut places = vec![1, 2, 3, info.waiters.saturating_add(1), info.max_waiters];
    places.retain(|&k| k <= info.max_waiters);
    places.sort_unstable();
    places.dedup();
    places
}

/// The answers, and what is left, as text.
fn show(info: &genp_info, reserves: &[u64], outcome: &Outcome) -> String {
    let mut answers = Table::new("rl");
    for (&reserve, answer) in reserves.iter().zip(&outcome.answers) {
        answers.row([size::show(reserve), answer.show()]);
    }
    let mut left = Table::new("lr");
    left.pair("left for lending", size::show(outcome.lendable));
    left.pair("  of that free now", size::show(outcome.free));
    let mut bounds = Table::new("rr");
    bounds.row(["waiter", "waits at most"]);
    for k in places(info) {
        bounds.row([k.to_string(), time::show(wait_bound(info, k))]);
    }
    format!(
        "{}\n{}\n{}\nThe k-th to be served waits at most k times the longest term ({}) plus the worst recall so far ({}),\n\
         if it asks for no more than what is left for lending and no reserve is made meanwhile. Served by {}.\n",
        answers.show(),
        left.show(),
        bounds.show(),
        time::show(info.max_lease_ns),
        time::show(info.recall_worst_ns),
        pool::wait_order(info),
    )
}

/// The ceiling to check, if that is asked for.
fn ceiling(args: &AdmissionArgs) -> Result<Option<u64>, Problem> {
    if !args.uid {
        return Ok(None);
    }
    sysfs::uid_ceiling().ok_or_else(|| {
        Problem::new(
            "cannot check the ceiling per user",
            format!("{}/uid_ceiling_bytes cannot be read", sysfs::DIRECTORY),
            "See whether sysfs is mounted on /sys; or ask without --uid.",
        )
    })
}

/// `genpctl admission`: ends with 1 unless everything would be admitted.
pub fn run(args: &AdmissionArgs) -> Result<ExitCode, Problem> {
    let info = pool::info()?;
    let whole = |&bytes: &u64| size::whole_pages(bytes, info.page_size).unwrap_or(u64::MAX);
    let reserves: Vec<_> = args.reserves.iter().map(whole).collect();
    let outcome = admit(&info, ceiling(args)?, &reserves);
    output::print(&show(&info, &reserves, &outcome))?;
    match outcome
        .answers
        .iter()
        .all(|&answer| answer == Answer::Admitted)
    {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// 64 MiB, of which 16 are committed and 8 lent; room for two partitions.
    fn pool() -> genp_info {
        genp_info {
            capacity: 64 * MIB,
            committed: 16 * MIB,
            lent: 8 * MIB,
            free: 40 * MIB,
            partitions: 2,
            max_partitions: 4,
            max_lease_ns: 1000,
            recall_worst_ns: 10,
            waiters: 5,
            max_waiters: 64,
            ..Default::default()
        }
    }

    #[test]
    fn reserves_are_taken_from_what_is_free() {
        let outcome = admit(&pool(), None, &[30 * MIB, 10 * MIB]);
        assert_eq!(outcome.answers, [Answer::Admitted; 2]);
        assert_eq!((outcome.free, outcome.lendable), (0, 8 * MIB));
    }

    #[test]
    fn what_is_lent_cannot_be_committed() {
        let outcome = admit(&pool(), None, &[40 * MIB + 1, 65 * MIB, 40 * MIB]);
        let expected = [Answer::NoFrames(40 * MIB), Answer::TooBig, Answer::Admitted];
        assert_eq!(outcome.answers, expected);
        assert_eq!(outcome.lendable, 8 * MIB);
    }

    #[test]
    fn a_refusal_takes_nothing() {
        let outcome = admit(&pool(), None, &[41 * MIB]);
        assert_eq!((outcome.free, outcome.lendable), (40 * MIB, 48 * MIB));
    }

    #[test]
    fn the_ceiling_is_for_all_of_them() {
        let outcome = admit(&pool(), Some(3 * MIB), &[2 * MIB, 2 * MIB, MIB]);
        let expected = [Answer::Admitted, Answer::Ceiling(MIB), Answer::Admitted];
        assert_eq!(outcome.answers, expected);
    }

    #[test]
    fn partitions_need_places() {
        let outcome = admit(&pool(), None, &[0, 0, 0]);
        let expected = [Answer::Admitted, Answer::Admitted, Answer::NoPlace];
        assert_eq!(outcome.answers, expected);
    }

    #[test]
    fn the_kth_waits_k_times_as_long() {
        assert_eq!(wait_bound(&pool(), 1), 1010);
        assert_eq!(wait_bound(&pool(), 64), 64 * 1010);
        let endless = genp_info {
            max_lease_ns: u64::MAX,
            ..pool()
        };
        assert_eq!(wait_bound(&endless, 3), u64::MAX);
    }

    #[test]
    fn places_are_in_order_and_exist() {
        assert_eq!(places(&pool()), [1, 2, 3, 6, 64]);
        let few = genp_info {
            waiters: 2,
            max_waiters: 2,
            ..pool()
        };
        assert_eq!(places(&few), [1, 2]);
    }
}
