// SPDX-License-Identifier: GPL-2.0

//! A calculator: which reserves would be admitted now, and what that would leave.

use std::{iter, process::ExitCode};

use genp::abi::genp_info;
use genp_core::{
    accounting::{
        admission::{judge, Admission, User, Waiter},
        AccountingError, Frames, Totals,
    },
    recall_bound::kth_wait_ns,
};

use serde_json::{json, Value};

use crate::{
    cli::AdmissionArgs, output::Format, pool, problem::Problem, size, sysfs, table::Table, time,
};

/// What would become of a reserve.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// It is more than the pool has.
    TooBig,
    /// So many bytes are free, and that is less.
    NoFrames(u64),
    /// The user may have so many bytes more, and that is less.
    Ceiling(u64),
    /// There would be too many partitions.
    NoSlot,
    /// It would be admitted only if what is left can still serve this many waiting
    /// requests, and what those want cannot be read.
    Waiters(u32),
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
            Self::NoSlot => "refused: no slot for another partition (ENOSPC)".to_owned(),
            Self::Waiters(count) => format!(
                "not decided: waiting requests ({count}) come first, and what they want cannot be \
                 read; if it could not be served any more: ENOSPC"
            ),
            Self::Admitted => "admitted".to_owned(),
        }
    }

    /// The answer for programs.
    fn word(self) -> &'static str {
        match self {
            Self::TooBig => "too_big",
            Self::NoFrames(_) => "no_frames",
            Self::Ceiling(_) => "ceiling",
            Self::NoSlot => "no_slot",
            Self::Waiters(_) => "not_decided",
            Self::Admitted => "admitted",
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

/// Bytes in whole pages, as the accounting counts them.
fn frames(bytes: u64, info: &genp_info) -> Frames {
    let page = u64::from(info.page_size.max(1));
    Frames::try_from(bytes.div_ceil(page)).unwrap_or(Frames::MAX)
}

/// The pool as the accounting sees it.
fn totals(info: &genp_info) -> Totals {
    Totals {
        capacity: frames(info.capacity, info),
        committed: frames(info.committed, info),
        lent: frames(info.lent, info),
        overdue: frames(info.overdue, info),
        free: frames(info.free, info),
        poisoned: frames(info.poisoned, info),
        leases: info.leases,
        waiters: info.waiters,
        partitions: info.partitions,
    }
}

/// The pool and a user, from one reserve to the next.
struct State<'a> {
    info: &'a genp_info,
    totals: Totals,
    user: User,
}

impl State<'_> {
    fn bytes(&self, frames: u64) -> u64 {
        frames.saturating_mul(self.info.page_size.into())
    }

    /// Asks the rule that the module asks for GENP_CREATE.
    fn judge(&self, reserve: Frames) -> Answer {
        if reserve > self.totals.capacity {
            return Answer::TooBig;
        }
        let slots = Some(self.info.max_partitions);
        let waiters = iter::repeat_n(Waiter::Unknown, self.totals.waiters as usize);
        match judge(&self.totals, slots, self.user, reserve, waiters) {
            Admission::Admitted => Answer::Admitted,
            Admission::Undecided => Answer::Waiters(self.totals.waiters),
            Admission::Refused(AccountingError::Ceiling) => {
                let left = u64::from(self.user.ceiling).saturating_sub(self.user.charged);
                Answer::Ceiling(self.bytes(left))
            }
            Admission::Refused(AccountingError::NoPartitionSlot) => Answer::NoSlot,
            Admission::Refused(_) => Answer::NoFrames(self.bytes(self.totals.free.into())),
        }
    }

    fn commit(&mut self, reserve: Frames) {
        self.totals.free -= reserve;
        self.totals.committed += reserve;
        self.totals.partitions += 1;
        self.user.charged += u64::from(reserve);
    }
}

/// Asks for one reserve after the other. `ceiling` is the most bytes that all of them
/// may have together.
fn admit(info: &genp_info, ceiling: Option<u64>, reserves: &[u64]) -> Outcome {
    let mut state = State {
        info,
        totals: totals(info),
        user: User::UNLIMITED,
    };
    if let Some(bytes) = ceiling {
        // A part of a page is of no use.
        let whole = bytes / u64::from(info.page_size.max(1));
        state.user.ceiling = Frames::try_from(whole).unwrap_or(Frames::MAX);
    }
    let mut answers = Vec::new();
    for &reserve in reserves {
        let reserve = frames(reserve, info);
        let answer = state.judge(reserve);
        if answer == Answer::Admitted {
            state.commit(reserve);
        }
        answers.push(answer);
    }
    Outcome {
        answers,
        free: state.bytes(state.totals.free.into()),
        lendable: state.bytes(state.totals.lendable().into()),
    }
}

/// The longest wait of the waiter that is `k`-th to be served.
fn wait_bound(info: &genp_info, k: u32) -> u64 {
    let first = info.max_lease_ns.saturating_add(info.recall_bound_ns);
    kth_wait_ns(first, k)
}

/// The positions in the queue that are worth a line: the first ones, that of a request
/// made now, and the last.
fn positions(info: &genp_info) -> Vec<u32> {
    let mut positions = vec![1, 2, 3, info.waiters.saturating_add(1), info.max_waiters];
    positions.retain(|&k| k <= info.max_waiters);
    positions.sort_unstable();
    positions.dedup();
    positions
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
    for k in positions(info) {
        bounds.row([k.to_string(), time::show(wait_bound(info, k))]);
    }
    format!(
        "{}\n{}\n{}\nThe k-th to be served waits at most k times the longest term ({}) plus R, the longest recall ({}),\n\
         if it asks for no more than what is left for lending and no reserve is made meanwhile. Served by {}.\n",
        answers.show(),
        left.show(),
        bounds.show(),
        time::show(info.max_lease_ns),
        time::show(info.recall_bound_ns),
        pool::wait_order(info),
    )
}

/// The answers, and what is left, for programs.
fn document(info: &genp_info, reserves: &[u64], outcome: &Outcome) -> Value {
    let answers = reserves.iter().zip(&outcome.answers);
    let answers = answers
        .map(|(reserve, answer)| json!({ "reserve_bytes": reserve, "answer": answer.word() }));
    let waits = positions(info);
    let waits = waits
        .iter()
        .map(|&k| json!({ "waiter": k, "wait_bound_ns": wait_bound(info, k) }));
    json!({
        "reserves": answers.collect::<Vec<_>>(),
        "lendable_bytes": outcome.lendable,
        "free_bytes": outcome.free,
        "waits": waits.collect::<Vec<_>>(),
    })
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

/// `genpctl admission`: ends with 1 unless everything would surely be admitted.
pub fn run(args: &AdmissionArgs, format: Format) -> Result<ExitCode, Problem> {
    let info = pool::info()?;
    let whole = |&bytes: &u64| size::whole_pages(bytes, info.page_size).unwrap_or(u64::MAX);
    let reserves: Vec<_> = args.reserves.iter().map(whole).collect();
    let outcome = admit(&info, ceiling(args)?, &reserves);
    format.print(
        || document(&info, &reserves, &outcome),
        || show(&info, &reserves, &outcome),
    )?;
    match outcome
        .answers
        .iter()
        .all(|&answer| answer == Answer::Admitted)
    {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}

/// A document with an answer in it.
#[cfg(test)]
pub fn sample() -> Value {
    let info = genp_info {
        max_waiters: 1,
        ..Default::default()
    };
    document(&info, &[1], &admit(&info, None, &[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// 64 MiB, of which 16 are committed and 8 lent; slots for two partitions; no waiter.
    fn pool() -> genp_info {
        genp_info {
            capacity: 64 * MIB,
            committed: 16 * MIB,
            lent: 8 * MIB,
            free: 40 * MIB,
            partitions: 2,
            max_partitions: 4,
            max_lease_ns: 1000,
            recall_bound_ns: 10,
            max_waiters: 64,
            page_size: 4096,
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
    fn partitions_need_slots() {
        let outcome = admit(&pool(), None, &[0, 0, 0]);
        let expected = [Answer::Admitted, Answer::Admitted, Answer::NoSlot];
        assert_eq!(outcome.answers, expected);
    }

    /// GENP_CREATE answers ENOSPC for what would leave too little for a waiter.
    #[test]
    fn what_a_waiter_may_want_is_not_called_admitted() {
        let waited = genp_info {
            waiters: 2,
            ..pool()
        };
        let outcome = admit(&waited, None, &[MIB, 0, 41 * MIB]);
        let expected = [
            Answer::Waiters(2),
            Answer::Admitted,
            Answer::NoFrames(40 * MIB),
        ];
        assert_eq!(outcome.answers, expected);
        // Nothing was taken for what is not decided.
        assert_eq!(outcome.free, 40 * MIB);
        assert!(outcome.answers[0].show().contains("not decided"));
    }

    /// The same pool, asked by genpctl and by the module, which knows what is wanted.
    #[test]
    fn it_never_contradicts_the_module() {
        for (wanted, reserve) in [(47, 1), (47, 2), (48, 1), (1, 40), (48, 0), (1, 41)] {
            let waited = genp_info {
                waiters: 1,
                ..pool()
            };
            let all = totals(&waited);
            let wants = iter::once(Waiter::Wants(frames(wanted * MIB, &waited)));
            let new = frames(reserve * MIB, &waited);
            let real = judge(&all, Some(4), User::UNLIMITED, new, wants);
            match admit(&waited, None, &[reserve * MIB]).answers[0] {
                Answer::Admitted => assert_eq!(real, Admission::Admitted),
                Answer::Waiters(1) => {}
                answer => assert_eq!(
                    real,
                    Admission::Refused(AccountingError::NoSpace),
                    "{answer:?}"
                ),
            }
        }
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
    fn positions_are_in_order_and_exist() {
        let five = genp_info {
            waiters: 5,
            ..pool()
        };
        assert_eq!(positions(&five), [1, 2, 3, 6, 64]);
        let few = genp_info {
            waiters: 2,
            max_waiters: 2,
            ..pool()
        };
        assert_eq!(positions(&few), [1, 2]);
    }
}
