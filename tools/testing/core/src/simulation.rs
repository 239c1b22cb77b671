// SPDX-License-Identifier: GPL-2.0

//! An atomic stock and a driver, tick by tick.

use genp_core::watermarks::{Burst, Watermarks};

/// A driver that takes as much and as early as it may and gives back as late as it
/// may, and a refill that comes as late as it may. Returns whether every burst found its
/// pages.
pub fn holds(watermarks: &Watermarks, burst: &Burst, slack: bool) -> bool {
    let (mut free, mut owned) = (watermarks.pages(), watermarks.pages());
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
            let more = watermarks.shortage(free, owned);
            (free, owned, refill) = (free + more, owned + more, None);
        }
        if slack && refill.is_none() && watermarks.shortage(free, owned) > 0 {
            refill = Some(now + burst.refill_ns.max(1));
        }
        let less = watermarks.excess(free, owned);
        (free, owned) = (free - less, owned - less);
        assert!(owned >= watermarks.pages() && owned <= watermarks.limit());
    }
    true
}
