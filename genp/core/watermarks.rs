// SPDX-License-Identifier: GPL-2.0

//! The watermarks of an atomic stock, and whether a stock suffices for the bursts of
//! pages that are taken from it.

use super::count::Count;

/// The watermarks of a stock, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Pages committed to the stock: what is free in it when no page is taken.
    pages: u32,
    /// Pages the stock may grow to, taken ones included.
    limit: u32,
    /// The stock is refilled when fewer pages than this are free.
    low: u32,
}

impl Watermarks {
    /// The watermarks of a partition without a stock.
    pub const NONE: Self = Self {
        pages: 0,
        limit: 0,
        low: 0,
    };

    /// Watermarks as requested, in pages. 0 stands for a default: `pages` for `limit`,
    /// a quarter of `pages` for `low`. `None` unless `low <= pages <= limit`.
    pub fn new(pages: u32, limit: u32, low: u32) -> Option<Self> {
        let limit = if limit == 0 { pages } else { limit };
        let low = if low == 0 { pages.div_ceil(4) } else { low };
        (low <= pages && pages <= limit).then_some(Self { pages, limit, low })
    }

    /// Pages committed to the stock.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Pages the stock may grow to, taken ones included.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The low watermark, in pages.
    pub fn low(&self) -> u32 {
        self.low
    }

    /// Whether the stock may have more pages than are committed to it.
    pub fn grows(&self) -> bool {
        self.limit > self.pages
    }

    /// The number of pages to add to a stock of `owned` pages, `free` of which are
    /// free: 0 unless that is below the low watermark.
    pub fn shortage(&self, free: u32, owned: u32) -> u32 {
        if free >= self.low {
            return 0;
        }
        let missing = self.pages.minus(free);
        missing.min(self.limit.saturating_sub(owned))
    }

    /// The number of pages to take away again from a stock of `owned` pages, `free` of
    /// which are free. Committed pages stay.
    pub fn excess(&self, free: u32, owned: u32) -> u32 {
        let spare = free.saturating_sub(self.pages);
        spare.min(owned.saturating_sub(self.pages))
    }
}

/// How a driver takes pages from its stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The most pages taken at once.
    pub pages: u32,
    /// The shortest time from one burst to the next, not 0.
    pub period_ns: u64,
    /// The longest time until a page is returned.
    pub hold_ns: u64,
    /// The longest time from falling below the low watermark until the refill is there.
    pub refill_ns: u64,
}

/// Whether a stock suffices for a [`Burst`]; see [`suffices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suffices {
    /// A burst may find too few pages.
    Not,
    /// Each burst finds its pages while the pool has free frames to refill from.
    WithSlack,
    /// Each burst finds its pages, whatever others do.
    Always,
}

/// Whether each burst finds all its pages. `None` for a burst of no pages or with a
/// period of 0. O(1).
///
/// Derivation. Let bursts of B pages come at least T apart and each page be given
/// back within H. At the time of a burst, itself included, the pages that are out
/// were taken at most H before: by floor(H / T) + 1 bursts. So out <= O with
///
///   O = B (floor(H / T) + 1).
///
/// A stock that owns O pages or more never runs out, without any refill.
///
/// With fewer pages it depends on refills, which come within R after fewer than `low`
/// pages are free and restore the committed number of free pages, if the limit allows
/// that. Between the fall below `low` and the refill come at most floor(R / T) + 1
/// bursts, the one that falls below it not counted; before that fall there were `low`
/// pages or more. The burst that falls below leaves at least low - B. So if
///
///   low >= B (floor(R / T) + 2)  and  limit >= O + low,
///
/// each of those bursts finds B pages, and the refill, which may add up to
/// limit - owned >= low - free, makes it `low` or more again.
pub fn suffices(watermarks: &Watermarks, burst: &Burst) -> Option<Suffices> {
    let pages = u64::from(burst.pages);
    let bursts_in = |time: u64| time.checked_div(burst.period_ns);
    if pages == 0 {
        return None;
    }
    let out = pages.saturating_mul(bursts_in(burst.hold_ns)?.saturating_add(1));
    if out <= u64::from(watermarks.pages) {
        return Some(Suffices::Always);
    }
    let meanwhile = bursts_in(burst.refill_ns)?.saturating_add(2);
    let low_suffices = pages.saturating_mul(meanwhile) <= u64::from(watermarks.low);
    let limit_suffices = out.saturating_add(watermarks.low.into()) <= u64::from(watermarks.limit);
    Some(match low_suffices && limit_suffices {
        true => Suffices::WithSlack,
        false => Suffices::Not,
    })
}
