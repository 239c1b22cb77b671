// SPDX-License-Identifier: GPL-2.0

//! What was disturbed is not taken for what something costs.

use genp_core::samples::{Samples, PLAUSIBLE};
use proptest::{prelude::*, test_runner::RngSeed};

fn samples<const N: usize>(taken: &[u64]) -> Samples<N> {
    let mut samples = Samples::EMPTY;
    for &sample in taken {
        samples.add(sample);
    }
    samples
}

#[test]
fn none_are_nothing() {
    let none = samples::<8>(&[]);
    assert_eq!(
        (none.count(), none.median(), none.worst_plausible()),
        (0, 0, 0)
    );
}

#[test]
fn more_than_there_is_room_for_are_left_out() {
    let two = samples::<2>(&[5, 7, 9]);
    assert_eq!((two.count(), two.median(), two.typical()), (2, 7, 7));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        rng_seed: RngSeed::Fixed(20_261_129),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Less than half of them are disturbed, by any amount and in any place.
    #[test]
    fn what_disturbs_less_than_half_does_not_count(
        honest in prop::collection::vec(100u64..200, 5..16),
        disturbed in prop::collection::vec(any::<u64>().prop_map(|by| by.max(800)), 0..5),
        turn in 0usize..20,
    ) {
        let mut taken: Vec<u64> = honest.iter().chain(&disturbed).copied().collect();
        let turn = turn % taken.len();
        taken.rotate_left(turn);
        let samples = samples::<32>(&taken);
        let worst = honest.iter().copied().max().unwrap_or(0);
        prop_assert!(samples.median() <= worst);
        prop_assert!(samples.worst_plausible() <= worst);
    }

    /// One of them is not disturbed.
    #[test]
    fn what_disturbs_all_but_one_does_not_count_in_what_is_typical(
        honest in prop::collection::vec(100u64..200, 1..4),
        disturbed in prop::collection::vec(any::<u64>().prop_map(|by| by.max(801)), 0..20),
        turn in 0usize..20,
    ) {
        let mut taken: Vec<u64> = honest.iter().chain(&disturbed).copied().collect();
        let turn = turn % taken.len();
        taken.rotate_left(turn);
        let typical = samples::<32>(&taken).typical();
        prop_assert!(honest.contains(&typical));
    }

    /// A median is what it is called.
    #[test]
    fn the_median_is_in_the_middle(taken in prop::collection::vec(0u64..50, 1..32)) {
        let samples = samples::<32>(&taken);
        let mut sorted = taken.clone();
        sorted.sort_unstable();
        prop_assert_eq!(samples.median(), sorted[sorted.len() / 2]);
        prop_assert!(samples.worst_plausible() <= samples.median() * PLAUSIBLE);
        prop_assert!(samples.worst_plausible() >= samples.median());
        prop_assert!(samples.typical() <= samples.median());
        prop_assert!(samples.typical() <= sorted[0] * PLAUSIBLE);
    }
}
