// SPDX-License-Identifier: GPL-2.0

//! Watermarks, and the calculation whether a stock suffices against a simulation.

use genp_core_tests::algorithms::stock::{suffices, Burst, Marks, Suffices};
use proptest::{prelude::*, test_runner::RngSeed};

#[test]
fn marks_have_defaults_and_limits() {
    let marks = Marks::new(10, 0, 0).unwrap();
    assert_eq!((marks.pages(), marks.limit(), marks.low()), (10, 10, 3));
    assert_eq!(Marks::new(10, 9, 0), None);
    assert_eq!(Marks::new(10, 20, 11), None);
    assert!(Marks::new(0, 0, 0).is_some());
    assert_eq!(
        Marks::new(0, 5, 0).map(|marks| marks.shortage(0, 0)),
        Some(0)
    );
}

#[test]
fn nonsense_is_refused() {
    let marks = Marks::new(10, 20, 5).unwrap();
    let burst = |pages, period_ns| Burst {
        pages,
        period_ns,
        hold_ns: u64::MAX,
        refill_ns: u64::MAX,
    };
    assert_eq!(suffices(&marks, &burst(0, 1)), None);
    assert_eq!(suffices(&marks, &burst(1, 0)), None);
    assert_eq!(suffices(&marks, &burst(1, 1)), Some(Suffices::Not));
    assert_eq!(suffices(&marks, &burst(u32::MAX, 1)), Some(Suffices::Not));
}

/// A driver that takes as much and as early as it may and gives back as late as it
/// may, and a refill that comes as late as it may. Says whether no burst found too
/// few pages.
fn holds(marks: &Marks, burst: &Burst, slack: bool) -> bool {
    let (mut free, mut owned) = (marks.pages(), marks.pages());
    let mut out: Vec<u64> = Vec::new();
    let mut refill: Option<u64> = None;
    for now in 0..burst.period_ns * 40 {
        // Bursts come first: the worst order of things that happen at once.
        if now % burst.period_ns == 0 {
            if free < burst.pages {
                return false;
            }
            free -= burst.pages;
            out.push(now + burst.hold_ns);
        }
        out.retain(|back| {
            let gone = *back <= now;
            free += if gone { burst.pages } else { 0 };
            !gone
        });
        if refill == Some(now) {
            let more = marks.shortage(free, owned);
            (free, owned, refill) = (free + more, owned + more, None);
        }
        if slack && refill.is_none() && marks.shortage(free, owned) > 0 {
            refill = Some(now + burst.refill_ns.max(1));
        }
        let less = marks.excess(free, owned);
        (free, owned) = (free - less, owned - less);
        assert!(owned >= marks.pages() && owned <= marks.limit());
    }
    true
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
        let Some(marks) = Marks::new(pages, pages + more, low) else {
            return Ok(());
        };
        let burst = Burst { pages: burst, period_ns, hold_ns, refill_ns };
        match suffices(&marks, &burst).unwrap() {
            Suffices::Always => prop_assert!(holds(&marks, &burst, false)),
            Suffices::WithSlack => prop_assert!(holds(&marks, &burst, true)),
            // For pages of its own alone the answer is exact.
            Suffices::Not => prop_assert!(!holds(&marks, &burst, false)),
        }
    }
}
