// SPDX-License-Identifier: GPL-2.0

//! The accounting, as the module uses it.

mod admission;
mod cases;
mod ceilings;
mod children;
mod families;
mod pace;
mod poison;
mod refusals;
mod sections;
mod steps;
mod users;

use genp_core::accounting::{DueAction, PartitionId, RequestOutcome, WaitOrder};
use proptest::{prelude::*, test_runner::RngSeed};

use genp_core_testing::{
    pool::{partition, pool, revoke, serve, BOTH, CAPACITY, TERM},
    world::live,
};
use steps::step;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        // The same cases each time: a run of CI finds what the change broke.
        rng_seed: RngSeed::Fixed(20_261_124),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_lives_by_priority(steps in prop::collection::vec(step(), 1..150)) {
        live(WaitOrder::Prio, &steps);
    }

    #[test]
    fn random_lives_by_arrival(steps in prop::collection::vec(step(), 1..150)) {
        live(WaitOrder::Fifo, &steps);
    }

    /// The k-th waiter of a first-come queue has its frames after at most k terms,
    /// if leases are ended on time.
    #[test]
    fn the_kth_waits_k_terms(sizes in prop::collection::vec(1u32..=CAPACITY, 1..=6)) {
        let mut pool = pool(WaitOrder::Fifo);
        let p = partition(&mut pool, 0, CAPACITY);
        let first = pool.borrow(p, CAPACITY, 0, BOTH, true, 0, TERM).unwrap();
        pool.acknowledge(first.lease);
        let others: Vec<_> = sizes
            .iter()
            .map(|&frames| {
                let p = pool.admit(0, u32::MAX, 0, CAPACITY, 8);
                let p = p.unwrap_or(PartitionId(1));
                pool.borrow(p, frames, 0, BOTH, true, 0, TERM).unwrap().lease
            })
            .collect();
        for (k, &lease) in others.iter().enumerate() {
            let mut now = 0;
            while pool.outcome(lease) == RequestOutcome::Waiting {
                now = pool.next_due().expect("a request waits and nothing is due");
                while let Some(due) = pool.due(now) {
                    if let DueAction::Revoke(lease) = due {
                        revoke(&mut pool, lease);
                        while serve(&mut pool, now).is_some() {}
                    }
                }
            }
            prop_assert!(now <= (k as u64 + 1) * TERM);
        }
    }
}
