// SPDX-License-Identifier: GPL-2.0

//! What users have in all, with as many partitions as there can be.

use std::collections::BTreeMap;

use genp_core::{
    accounting::{AccountingError, Limits, PartitionId, UserLimits, WaitOrder, MAX_PARTITIONS},
    recall_share::RecallShare,
};
use genp_core_testing::pool::{with_limits, Pool, TERM};
use proptest::{prelude::*, test_runner::RngSeed};

const CEILING: u32 = 40;

#[derive(Clone, Debug)]
enum Step {
    Admit { uid: u32, frames: u32 },
    More { who: usize, frames: u32 },
    Less { who: usize, frames: u32 },
    External { who: usize, frames: u32 },
    Close { who: usize, kept: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, frames) = (any::<usize>(), 0u32..20);
    prop_oneof![
        8 => (prop_oneof![0u32..12, any::<u32>()], frames.clone())
            .prop_map(|(uid, frames)| Step::Admit { uid, frames }),
        2 => (who, frames.clone()).prop_map(|(who, frames)| Step::More { who, frames }),
        2 => (who, frames.clone()).prop_map(|(who, frames)| Step::Less { who, frames }),
        1 => (who, frames.clone()).prop_map(|(who, frames)| Step::External { who, frames }),
        3 => (who, frames).prop_map(|(who, kept)| Step::Close { who, kept }),
    ]
}

fn pool() -> Pool {
    let limits = Limits {
        capacity: 1_000_000,
        max_waiters: 1,
        order: WaitOrder::Prio,
        max_lease_ns: TERM,
        grace_ns: 0,
        share: RecallShare::UNLIMITED,
        users: UserLimits::NONE,
    };
    with_limits(limits, MAX_PARTITIONS, 1)
}

/// What a partition is charged for: its user, its reserve, and what is external.
type Model = BTreeMap<u32, (u32, u32, u32)>;

fn charged(model: &Model, uid: u32) -> u32 {
    let own = model.values().filter(|&&(user, ..)| user == uid);
    own.map(|&(_, reserve, external)| reserve + external).sum()
}

fn check(got: Result<(), AccountingError>, fits: bool) -> bool {
    match fits {
        true => assert_eq!(got, Ok(())),
        false => assert_eq!(got, Err(AccountingError::Ceiling)),
    }
    fits
}

fn take(pool: &mut Pool, model: &mut Model, step: &Step) {
    let pick = |who: usize| {
        let mine = model.keys().nth(who % model.len().max(1)).copied();
        mine.map(|p| (p, model[&p]))
    };
    match *step {
        Step::Admit { uid, frames } => {
            let fits = charged(model, uid) + frames <= CEILING;
            match pool.admit(uid, CEILING, frames, 0, 1) {
                Ok(p) => assert!(fits && model.insert(p.0, (uid, frames, 0)).is_none()),
                Err(AccountingError::Ceiling) => assert!(!fits),
                Err(error) => {
                    assert_eq!(error, AccountingError::NoPartitionSlot);
                    assert!(pool.totals().partitions == MAX_PARTITIONS);
                }
            }
        }
        Step::More { who, frames } => {
            let Some((p, (uid, reserve, external))) = pick(who) else {
                return;
            };
            let fits = charged(model, uid) + frames <= CEILING;
            if check(pool.commit_more(PartitionId(p), frames, CEILING), fits) {
                model.insert(p, (uid, reserve + frames, external));
            }
        }
        Step::Less { who, frames } => {
            let Some((p, (uid, reserve, external))) = pick(who) else {
                return;
            };
            let frames = frames.min(reserve);
            pool.commit_less(PartitionId(p), frames).unwrap();
            model.insert(p, (uid, reserve - frames, external));
        }
        Step::External { who, frames } => {
            let Some((p, (uid, reserve, _))) = pick(who) else {
                return;
            };
            let fits = charged(model, uid) + frames <= CEILING;
            if check(pool.charge_external(PartitionId(p), frames, CEILING), fits) {
                model.insert(p, (uid, reserve, frames));
            }
        }
        Step::Close { who, kept } => {
            let Some((p, (_, reserve, _))) = pick(who) else {
                return;
            };
            let kept = kept.min(reserve);
            pool.close(PartitionId(p), kept).unwrap();
            pool.commit_less(PartitionId(p), kept).unwrap();
            model.remove(&p);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 30,
        rng_seed: RngSeed::Fixed(20_261_130),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A ceiling refuses exactly what the partitions of its user exceed it with.
    #[test]
    fn ceilings_are_those_of_all_partitions(
        full in any::<bool>(),
        steps in prop::collection::vec(step(), 1..400),
    ) {
        let (mut pool, mut model) = (pool(), Model::new());
        // All users there can be but a few, in no order.
        for user in 0..if full { MAX_PARTITIONS - 6 } else { 0 } {
            let uid = 1_000 + user * 77 % MAX_PARTITIONS;
            take(&mut pool, &mut model, &Step::Admit { uid, frames: user % 9 });
        }
        for step in &steps {
            take(&mut pool, &mut model, step);
            prop_assert_eq!(pool.check(), Ok(()));
        }
    }
}
