// SPDX-License-Identifier: GPL-2.0

//! The module on the simulated kernel: a few hundred cases, and that a case repeats.
//! `make simulate` runs as many as there is time for.

use genp_sim::{
    case::Case,
    run::{run, Sum},
};

fn all(seeds: std::ops::Range<u64>) -> Sum {
    let mut sum = Sum::default();
    for seed in seeds {
        sum.add(&run(Case::new(seed)));
    }
    sum
}

#[test]
fn nothing_is_wrong_in_many_orders_of_events() {
    let sum = all(1..500);
    // It did something of everything.
    assert!(sum.calls > 50_000, "{sum:?}");
    for (what, count) in [
        ("calls that failed", sum.refused),
        ("answers that a model predicted", sum.predicted),
        ("interrupts", sum.interrupts),
        ("allocations that failed", sum.starved),
        ("processes that were killed", sum.deaths),
        ("memory errors", sum.memory_errors),
        ("loads that measured", sum.calibrations),
        ("loads that failed", sum.failed_loads),
    ] {
        assert!(count > 0, "no {what}: {sum:?}");
    }
}

#[test]
fn a_seed_repeats_its_case() {
    for seed in 1000..1020 {
        let first = format!("{:?}", run(Case::new(seed)));
        assert_eq!(first, format!("{:?}", run(Case::new(seed))), "seed {seed}");
    }
}
