// SPDX-License-Identifier: GPL-2.0

//! The targets of the data sheet: what was to be reached, and whether it was.
//!
//! Costs in instructions are those of the machine `icount`; each target takes the
//! dearest of all fill levels, states and sizes, unless it says otherwise.

use crate::{
    fit::Line,
    query::Figures,
    run::Figure,
    words::{in_unit, number, times},
};

const ICOUNT: &str = "icount";

/// One target.
pub struct Target {
    /// What it is about.
    pub what: &'static str,
    /// What was to be reached, in words.
    pub limit: String,
    /// What was measured, in words.
    pub measured: String,
    /// How many times the limit that is: at most 1 if reached.
    pub share: f64,
}

impl Target {
    /// Reached, or missed by how much.
    pub fn verdict(&self) -> String {
        match self.share {
            share if share <= 1.0 => "reached".into(),
            share if share < 10.0 => format!("missed by {:.0} %", (share - 1.0) * 100.0),
            share if share.is_finite() => format!("missed, {} times", times(share)),
            _ => "missed".into(),
        }
    }

    /// At most `limit`, in `unit`.
    fn at_most(what: &'static str, measured: f64, limit: f64, unit: &str) -> Self {
        let said = |value: f64| match unit {
            "ns" => in_unit(value, unit),
            "%" => format!("{value:.2} %"),
            "times" => format!("{} times", times(value)),
            unit => format!("{} {unit}", number(value)),
        };
        Self {
            what,
            limit: format!("at most {}", said(limit)),
            measured: said(measured),
            share: measured / limit,
        }
    }

    /// At most what something else costs.
    fn not_above(what: &'static str, measured: f64, (peer, cost): (&str, f64)) -> Self {
        Self {
            what,
            limit: format!("at most {} ({peer})", number(cost)),
            measured: number(measured),
            share: measured / cost,
        }
    }
}

/// All targets of which there are figures.
pub fn targets(all: &Figures<'_>) -> Vec<Target> {
    let parts = [pages, regions, borrowing, heap, recall, scale];
    parts.iter().flat_map(|part| part(all)).collect()
}

fn median(figure: &Figure) -> Option<f64> {
    figure.median
}

fn worst(figure: &Figure) -> Option<f64> {
    figure.max
}

/// Figures of a case that count instructions.
fn counted<'a>(all: &Figures<'a>, group: &str, case: &str) -> Figures<'a> {
    all.case(group, case).machine(ICOUNT)
}

/// A target of a value that may not have been measured.
fn push(targets: &mut Vec<Target>, target: Option<Target>) {
    targets.extend(target);
}

/// The largest ratio of a dearest to a cheapest median between pools, at one fill level
/// and state.
fn growth_by_pool(pages: &Figures<'_>) -> Option<f64> {
    let settings = pages.different(|figure| (figure.fill, figure.state.clone()));
    let growth = |(fill, state): (Option<f64>, String)| {
        let same = pages.only(|figure| figure.fill == fill && figure.state == state);
        if same.different(|figure| figure.pool).len() < 2 {
            return None;
        }
        Some(same.highest(median)? / same.lowest(median)?)
    };
    settings.into_iter().filter_map(growth).reduce(f64::max)
}

fn pages(all: &Figures<'_>) -> Vec<Target> {
    let pages = counted(all, "kernel", "page");
    let ours = pages.subject("genp");
    let mut targets = Vec::new();
    push(
        &mut targets,
        ours.highest(worst).map(|cost| {
            let what = "atomic page, take and give, worst case";
            Target::at_most(what, cost, 200.0, "instructions")
        }),
    );
    push(
        &mut targets,
        growth_by_pool(&ours).map(|growth| {
            let what = "the same, growth from the smallest to the largest pool";
            Target::at_most(what, (growth - 1.0) * 100.0, 5.0, "%")
        }),
    );
    let peer = pages.only(|figure| figure.subject.starts_with("gen_pool"));
    let best = peer.granted().lowest(median);
    push(
        &mut targets,
        ours.highest(median).zip(best).map(|(cost, best)| {
            let what = "the same, median, beside the best case of gen_pool";
            Target::not_above(what, cost, ("gen_pool", best))
        }),
    );
    targets
}

fn regions(all: &Figures<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    let regions = counted(all, "kernel", "region").subject("genp").granted();
    push(
        &mut targets,
        regions.highest(worst).map(|cost| {
            let what = "region, allocate and free, worst case";
            Target::at_most(what, cost, 450.0, "instructions")
        }),
    );
    let failing = counted(all, "kernel", "region_fail").subject("genp");
    push(
        &mut targets,
        failing
            .highest(median)
            .zip(regions.highest(median))
            .map(|(cost, granted)| {
                let what = "region, a request that is refused";
                Target::not_above(what, cost, ("one that is granted", granted))
            }),
    );
    let objects = counted(all, "kernel", "object");
    let slab = objects.subject("kmem_cache").granted().lowest(median);
    push(
        &mut targets,
        objects
            .subject("genp")
            .granted()
            .highest(median)
            .zip(slab)
            .map(|(cost, slab)| {
                let what = "object of a cache, allocate and free";
                Target::not_above(what, cost, ("kmem_cache", slab))
            }),
    );
    targets
}

/// Points of a curve of GenP's in the group `borrow`.
pub fn borrow_line(all: &Figures<'_>, subject: &str, state: &str) -> Option<Line> {
    let figures = counted(all, "borrow", "borrow").subject(subject);
    let figures = figures.only(|figure| figure.state == state);
    Line::through(&figures.curve(|figure| figure.pages))
}

fn borrowing(all: &Figures<'_>) -> Vec<Target> {
    let of_64 = counted(all, "borrow", "borrow").only(|figure| figure.pages == Some(64.0));
    let ours = |state: &str| {
        let ours = of_64.subject("genp").only(|figure| figure.state == state);
        ours.highest(median)
    };
    let mut targets = Vec::new();
    push(
        &mut targets,
        ours("clean").map(|cost| {
            let what = "borrow and return 64 pages, zeroed ones in stock";
            Target::at_most(what, cost, 20_000.0, "instructions")
        }),
    );
    let peer = of_64.subject("mmap_populate").lowest(median);
    push(
        &mut targets,
        ours("scrubbed").zip(peer).map(|(cost, peer)| {
            let what = "the same, scrubbing counted in";
            Target::not_above(what, cost, ("half of mmap_populate", peer / 2.0))
        }),
    );
    push(
        &mut targets,
        borrow_line(all, "genp", "clean").map(|line| {
            let what = "the same, each further page (slope of the fitted line)";
            Target::at_most(what, line.slope, 230.0, "instructions")
        }),
    );
    targets
}

/// The largest, over cases and machines, of a value of GenP's divided by the smallest
/// of its peers'.
fn against_peers(
    figures: &Figures<'_>,
    of: impl Fn(&Figure) -> Option<f64> + Copy,
    is_peer: impl Fn(&Figure) -> bool,
) -> Option<f64> {
    let settings = figures.different(|f| (f.case.clone(), f.machine.clone(), f.state.clone()));
    let ratio = |(case, machine, state): (String, String, String)| {
        let same = figures.only(|f| f.case == case && f.machine == machine && f.state == state);
        let peer = same.only(|figure| figure.is_peer() && is_peer(figure));
        Some(same.subject("genp").highest(of)? / peer.lowest(of)?)
    };
    settings.into_iter().filter_map(ratio).reduce(f64::max)
}

fn heap(all: &Figures<'_>) -> Vec<Target> {
    let user = all.only(|figure| figure.group == "user");
    let costs = user.only(|figure| figure.unit != "count");
    let alone = costs.only(|figure| !figure.case.ends_with("_touched"));
    let mut targets = Vec::new();
    push(
        &mut targets,
        against_peers(&alone, median, |_| true).map(|ratio| {
            let what = "heap of libgenp, median, beside the fastest peer";
            Target::at_most(what, ratio, 1.3, "times")
        }),
    );
    // What is allocated under pressure is used: the fault is part of what it costs.
    let pressed = costs.only(|figure| figure.state == "pressure");
    let touched = pressed.only(|figure| figure.case.ends_with("_touched"));
    let pressed = if touched.is_empty() { pressed } else { touched };
    push(
        &mut targets,
        against_peers(&pressed, worst, |peer| peer.subject == "glibc").map(|ratio| {
            let what = "the same, worst case under memory pressure, beside glibc";
            Target::at_most(what, ratio, 0.1, "times")
        }),
    );
    let events = user.only(|figure| figure.unit == "count").subject("genp");
    push(
        &mut targets,
        events.highest(median).map(|events| Target {
            what: "the same, page faults and system calls",
            limit: "none".into(),
            measured: number(events),
            share: if events > 0.0 { f64::INFINITY } else { 0.0 },
        }),
    );
    targets
}

/// Where instructions are counted if it was measured there: what else runs on the host
/// is in the times of other machines.
fn recall(all: &Figures<'_>) -> Vec<Target> {
    let hogged = all.only(|figure| figure.group == "recall" && figure.state == "hogs");
    let counted = hogged.machine(ICOUNT);
    let hogged = if counted.is_empty() { hogged } else { counted };
    // Of several who wait, each waits for those before it: the last one of each round is
    // what compares.
    let whole = hogged.only(|figure| match figure.case.as_str() {
        "recall" => figure.waiters == Some(1.0),
        case => case == "recall_last",
    });
    let ratios = |figure: &Figure| Some(figure.max? / figure.median?);
    let target = whole.highest(ratios).map(|ratio| {
        let what = "recall with a hog on every processor: worst case by median";
        Target::at_most(what, ratio, 2.0, "times")
    });
    target.into_iter().collect()
}

fn scale(all: &Figures<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    let metadata = all.case("scale", "metadata").subject("genp");
    push(
        &mut targets,
        metadata
            .highest(|figure| Some(figure.median? / figure.pool? * 100.0))
            .map(|share| {
                let what = "metadata, share of the pool";
                Target::at_most(what, share, 2.0, "%")
            }),
    );
    let gibibyte = 1024.0 * 1024.0 * 1024.0;
    let loads = all
        .case("scale", "load")
        .only(|figure| figure.pool == Some(gibibyte));
    let user_mode = loads.only(|figure| figure.machine.starts_with("um"));
    push(
        &mut targets,
        user_mode.highest(median).map(|ns| {
            let what = "loading with a pool of 1 GiB, user mode Linux, median";
            Target::at_most(what, ns, 1e9, "ns")
        }),
    );
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{query::tests::figure, run::Run};

    fn one(figures: Vec<Figure>, what: &str) -> Target {
        let run = Run {
            figures,
            ..Default::default()
        };
        let found = targets(&Figures::of(&run));
        found
            .into_iter()
            .find(|target| target.what.contains(what))
            .unwrap_or_else(|| panic!("no target of {what}"))
    }

    fn page(median: f64, max: f64, pool: f64) -> Figure {
        Figure {
            pool: Some(pool),
            ..figure(
                ["kernel", "page", "genp", "instructions", ICOUNT],
                median,
                max,
            )
        }
    }

    fn borrowed(pages: f64, cost: f64, state: &str) -> Figure {
        Figure {
            pages: Some(pages),
            state: state.into(),
            ..figure(
                ["borrow", "borrow", "genp", "instructions", ICOUNT],
                cost,
                cost,
            )
        }
    }

    #[test]
    fn of_nothing_there_are_no_targets() {
        assert!(targets(&Figures::of(&Run::default())).is_empty());
    }

    #[test]
    fn the_worst_case_decides_not_the_median() {
        let bad = one(vec![page(150.0, 300.0, 1e6)], "worst case");
        assert_eq!(bad.verdict(), "missed by 50 %");
        assert_eq!(bad.measured, "300 instructions");
        let good = one(vec![page(150.0, 200.0, 1e6)], "worst case");
        assert_eq!(good.verdict(), "reached");
    }

    #[test]
    fn growth_is_between_pools_of_the_same_fill_level() {
        let mut full = page(200.0, 200.0, 1e6);
        full.fill = Some(99.0);
        let figures = vec![page(100.0, 100.0, 1e6), page(104.0, 104.0, 1e9), full];
        let growth = one(figures, "growth");
        assert_eq!(
            (growth.measured.as_str(), growth.verdict().as_str()),
            ("4.00 %", "reached")
        );
    }

    #[test]
    fn borrowing_is_judged_by_its_line_and_by_64_pages() {
        let cost = |pages: f64| 8_000.0 + 253.0 * pages;
        let figures: Vec<_> = [1.0, 64.0, 4096.0]
            .map(|pages| borrowed(pages, cost(pages), "clean"))
            .into();
        let slope = one(figures.clone(), "slope");
        assert_eq!(
            (slope.measured.as_str(), slope.verdict().as_str()),
            ("253 instructions", "missed by 10 %")
        );
        assert_eq!(
            one(figures, "zeroed ones in stock").verdict(),
            "missed by 21 %"
        );
    }

    #[test]
    fn a_peer_in_another_case_does_not_count() {
        let of = |case, subject, cost| figure(["user", case, subject, "ns", "native"], cost, cost);
        let figures = vec![
            of("trace_a", "genp", 12.0),
            of("trace_a", "glibc", 10.0),
            of("trace_b", "glibc", 1.0),
        ];
        let heap = one(figures, "fastest peer");
        assert_eq!(
            (heap.measured.as_str(), heap.verdict().as_str()),
            ("1.20 times", "reached")
        );
    }

    #[test]
    fn the_last_of_several_waiters_is_what_compares() {
        let of = |case, waiters, median, max| Figure {
            state: "hogs".into(),
            waiters: Some(waiters),
            ..figure(["recall", case, "genp", "ns", "tcg"], median, max)
        };
        let figures = vec![
            of("recall", 1.0, 10.0, 15.0),
            of("recall", 8.0, 10.0, 80.0),
            of("recall_last", 8.0, 70.0, 77.0),
        ];
        assert_eq!(one(figures, "recall").measured, "1.50 times");
    }

    #[test]
    fn any_fault_misses_the_target_of_none() {
        let of = |events| {
            figure(
                ["user", "trace_a_faults", "genp", "count", "native"],
                events,
                events,
            )
        };
        assert_eq!(one(vec![of(0.0)], "page faults").verdict(), "reached");
        assert!(one(vec![of(0.0), of(2.0)], "page faults")
            .verdict()
            .starts_with("missed"));
    }
}
