// SPDX-License-Identifier: GPL-2.0

//! Random steps of borrowers.

use genp_core_testing::{pool::TERM, world::Step};
use proptest::prelude::*;

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (
            (any::<usize>(), 0u32..70, 0i32..4, 1u64..=TERM),
            (any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.1)),
        )
            .prop_map(|((who, frames, prio, term), (wait, budget, pool, non_revocable))| {
                Step::Borrow { who, frames, prio, wait, budget, pool, term, non_revocable }
            }),
        4 => any::<usize>().prop_map(Step::Return),
        1 => any::<usize>().prop_map(Step::Renew),
        2 => any::<usize>().prop_map(Step::Withdraw),
        1 => (any::<usize>(), 1u32..80).prop_map(|(who, frames)| Step::Limit { who, frames }),
        1 => (any::<usize>(), 1u32..50).prop_map(|(who, frames)| Step::Commit { who, frames }),
        1 => (any::<usize>(), 1u32..50).prop_map(|(who, frames)| Step::Release { who, frames }),
        1 => (0usize..40).prop_map(Step::Close),
        1 => any::<bool>().prop_map(|at_take| Step::Poison { at_take }),
        6 => (1u64..400).prop_map(Step::Pass),
    ]
}
