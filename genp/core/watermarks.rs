// SPDX-License-Identifier: GPL-2.0

//! How much an atomic stock holds: its watermarks, and whether it suffices for what
//! is taken from it.

/// The watermarks of a stock, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Pages that are committed to it. So many it has free when nothing is taken.
    pages: u32,
    /// Pages it may grow to, taken ones included.
    limit: u32,
    /// With fewer free ones it is refilled.
    low: u32,
}

impl Watermarks {
    /// Those of no stock.
    pub const NONE: Self = Self {
        pages: 0,
        limit: 0,
        low: 0,
    };

    /// Watermarks as they were asked for, 0 standing for a default: `limit` for as
    /// many as are committed, `low` for a quarter of them. `None` if they contradict
    /// each other.
    pub fn new(pages: u32, limit: u32, low: u32) -> Option<Self> {
        let limit = if limit == 0 { pages } else { limit };
        let low = if low == 0 { pages.div_ceil(4) } else { low };
        (low <= pages && pages <= limit).then_some(Self { pages, limit, low })
    }

    /// Pages committed.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Pages it may grow to.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The low watermark.
    pub fn low(&self) -> u32 {
        self.low
    }

    /// Whether it may have more pages than are committed.
    pub fn grows(&self) -> bool {
        self.limit > self.pages
    }

    /// Pages to add to a stock that has `owned` pages, `free` of which are free.
    pub fn shortage(&self, free: u32, owned: u32) -> u32 {
        if free >= self.low {
            return 0;
        }
        let missing = self.pages - free;
        missing.min(self.limit.saturating_sub(owned))
    }

    /// Pages to give up of those that were added.
    pub fn excess(&self, free: u32, owned: u32) -> u32 {
        let spare = free.saturating_sub(self.pages);
        spare.min(owned.saturating_sub(self.pages))
    }
}

/// How pages are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// At once, at most.
    pub pages: u32,
    /// The least time from one burst to the next, not 0.
    pub period_ns: u64,
    /// The longest time until a page is given back.
    pub hold_ns: u64,
    /// The longest time from the low watermark to the pages of a refill being there.
    pub refill_ns: u64,
}

/// Whether a stock suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suffices {
    /// Some burst may find too few pages.
    Not,
    /// Each finds its pages while the pool has frames to refill from.
    WithSlack,
    /// Each finds its pages, whatever others do.
    Always,
}

/// Whether each burst finds all its pages. `None` for a burst of no pages or without
/// a period.
///
/// Derivation. Let bursts of B pages come at least T apart and each page be given
/// back within H. At the time of a burst, itself included, those pages are out that
/// were taken at most H before: of floor(H / T) + 1 bursts. So out <= O with
///
///   O = B (floor(H / T) + 1).
///
/// A stock of O pages or more that are its own never runs out: nothing is refilled.
///
/// With fewer of its own it depends on refills, which come within R after fewer than
/// `low` pages are free and make them as many as are committed, if the limit allows
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
