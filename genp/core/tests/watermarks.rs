// SPDX-License-Identifier: GPL-2.0

//! Watermarks, and the calculation whether a stock suffices against a simulation.

use genp_core::watermarks::{suffices, Burst, Suffices, Watermarks};
use genp_core_testing::simulation::holds;
use proptest::{prelude::*, test_runner::RngSeed};

#[test]
fn marks_have_defaults_and_limits() {
    let watermarks = Watermarks::new(10, 0, 0).unwrap();
    assert_eq!(
        (watermarks.pages(), watermarks.limit(), watermarks.low()),
        (10, 10, 3)
    );
    assert_eq!(Watermarks::new(10, 9, 0), None);
    assert_eq!(Watermarks::new(10, 20, 11), None);
    assert!(Watermarks::new(0, 0, 0).is_some());
    assert_eq!(
        Watermarks::new(0, 5, 0).map(|watermarks| watermarks.shortage(0, 0)),
        Some(0)
    );
}

#[test]
fn nonsense_is_refused() {
    let watermarks = Watermarks::new(10, 20, 5).unwrap();
    let burst = |pages, period_ns| Burst {
        pages,
        period_ns,
        hold_ns: u64::MAX,
        refill_ns: u64::MAX,
    };
    assert_eq!(suffices(&watermarks, &burst(0, 1)), None);
    assert_eq!(suffices(&watermarks, &burst(1, 0)), None);
    assert_eq!(suffices(&watermarks, &burst(1, 1)), Some(Suffices::Not));
    assert_eq!(
        suffices(&watermarks, &burst(u32::MAX, 1)),
        Some(Suffices::Not)
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        rng_seed: RngSeed::Fixed(20_261_125),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_said_to_suffice_does(
        pages in 1u32..40, more in 0u32..60, low in 0u32..40,
        burst in 1u32..8, period_ns in 1u64..12, hold_ns in 0u64..60, refill_ns in 0u64..30,
    ) {
        let Some(watermarks) = Watermarks::new(pages, pages + more, low) else {
            return Ok(());
        };
        let burst = Burst { pages: burst, period_ns, hold_ns, refill_ns };
        match suffices(&watermarks, &burst).unwrap() {
            Suffices::Always => prop_assert!(holds(&watermarks, &burst, false)),
            Suffices::WithSlack => prop_assert!(holds(&watermarks, &burst, true)),
            // For pages of its own alone the answer is exact.
            Suffices::Not => prop_assert!(!holds(&watermarks, &burst, false)),
        }
    }
}
