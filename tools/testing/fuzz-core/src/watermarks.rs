// SPDX-License-Identifier: GPL-2.0

//! Whether a stock suffices, against a simulation; and with any numbers at all.

use genp_core::watermarks::{suffices, Burst, Suffices, Watermarks};
use genp_core_testing::simulation::holds;

use crate::input::Input;

/// Watermarks of any size: defaults, order, and how much is added and taken away.
fn marks_hold(input: &mut Input<'_>) {
    let mut any = || input.number() as u32;
    let (pages, limit, low) = (any(), any(), any());
    let (free, owned) = (any(), any());
    let Some(watermarks) = Watermarks::new(pages, limit, low) else {
        let limit = if limit == 0 { pages } else { limit };
        let low = if low == 0 { pages.div_ceil(4) } else { low };
        assert!(low > pages || pages > limit);
        return;
    };
    assert!(watermarks.low() <= watermarks.pages() && watermarks.pages() <= watermarks.limit());
    let (free, owned) = (
        free.min(owned),
        owned.clamp(watermarks.pages(), watermarks.limit()),
    );
    let more = watermarks.shortage(free, owned);
    assert!(u64::from(owned) + u64::from(more) <= u64::from(watermarks.limit()));
    assert!(more == 0 || (free < watermarks.low() && free + more <= watermarks.pages()));
    let less = watermarks.excess(free, owned);
    assert!(owned - less >= watermarks.pages() && less <= free);
    let burst = Burst {
        pages: input.number() as u32,
        period_ns: input.number(),
        hold_ns: input.number(),
        refill_ns: input.number(),
    };
    let answer = suffices(&watermarks, &burst);
    assert_eq!(answer.is_none(), burst.pages == 0 || burst.period_ns == 0);
    // More pages, or fewer taken, never make it worse.
    if let (Some(answer), Some(richer)) = (
        answer,
        Watermarks::new(pages.saturating_add(1), watermarks.limit().max(2), low),
    ) {
        if richer.limit() == watermarks.limit() && richer.low() == watermarks.low() {
            assert!(suffices(&richer, &burst) >= Some(answer));
        }
    }
}

/// Small numbers, tick by tick.
fn what_suffices_holds(input: &mut Input<'_>) {
    // Fewer than the simulation has bursts.
    let pages = 1 + input.below(39);
    let Some(watermarks) = Watermarks::new(pages, pages + input.below(60), input.below(40)) else {
        return;
    };
    let burst = Burst {
        pages: 1 + input.below(8),
        period_ns: 1 + u64::from(input.below(12)),
        hold_ns: input.below(60).into(),
        refill_ns: input.below(30).into(),
    };
    match suffices(&watermarks, &burst).expect("a burst and a period") {
        Suffices::Always => assert!(holds(&watermarks, &burst, false)),
        Suffices::WithSlack => assert!(holds(&watermarks, &burst, true)),
        Suffices::Not => assert!(!holds(&watermarks, &burst, false)),
    }
}

/// The target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    // As many as make sense in one case.
    for _ in 0..16 {
        if !input.goes_on() {
            break;
        }
        match input.byte() & 1 {
            0 => what_suffices_holds(&mut input),
            _ => marks_hold(&mut input),
        }
    }
}
