// SPDX-License-Identifier: GPL-2.0

//! Targets of processes, and of the module as a whole.

use super::target::{counted, median, push, worst, Target, ICOUNT};
use crate::{
    fit::Line,
    labels::{number, times},
    query::Figures,
    run::Figure,
};

/// Points of a curve of GenP's in the group `borrow`.
pub fn borrow_line(all: &Figures<'_>, subject: &str, state: &str) -> Option<Line> {
    let figures = counted(all, "borrow", "borrow").subject(subject);
    let figures = figures.only(|figure| figure.state == state);
    Line::through(&figures.curve(|figure| figure.pages))
}

pub fn borrowing(all: &Figures<'_>) -> Vec<Target> {
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
        // A clock whose steps are longer than the call measures 0.
        let fastest = peer.lowest(of).filter(|fastest| *fastest > 0.0)?;
        Some(same.subject("genp").highest(of)? / fastest)
    };
    settings.into_iter().filter_map(ratio).reduce(f64::max)
}

pub fn heap(all: &Figures<'_>) -> Vec<Target> {
    let user = all.only(|figure| figure.group == "user");
    let costs = user.only(|figure| figure.unit != "count");
    let alone = costs.only(|figure| !figure.case.ends_with("_touched"));
    // Times have the steps of a clock; counts have none.
    let counted = alone.only(|figure| figure.machine == "icount");
    let alone = if counted.is_empty() { alone } else { counted };
    let mut targets = Vec::new();
    push(
        &mut targets,
        against_peers(&alone, median, |_| true).map(|ratio| {
            let what = "heap of libgenp, median, beside the fastest peer";
            Target::at_most(what, ratio, 1.3, "times")
        }),
    );
    // Under pressure, memory is touched: the page fault is part of the cost.
    let pressed = costs.only(|figure| figure.state == "pressure");
    let touched = pressed.only(|figure| figure.case.ends_with("_touched"));
    let pressed = if touched.is_empty() { pressed } else { touched };
    push(
        &mut targets,
        against_peers(&pressed, worst, |peer| peer.subject == "glibc").map(|ratio| Target {
            what: "the same, worst case under memory pressure",
            limit: "a tenth of glibc's".into(),
            measured: format!("glibc's is {} times as long", times(1.0 / ratio)),
            share: ratio * 10.0,
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

/// On the machine that counts instructions, if it was measured there: times of other
/// machines include what else runs on the host.
pub fn recall(all: &Figures<'_>) -> Vec<Target> {
    let hogged = all.only(|figure| figure.group == "recall" && figure.state == "hogs");
    let counted = hogged.machine(ICOUNT);
    let hogged = if counted.is_empty() { hogged } else { counted };
    // Each of several waiters waits for those before it: only the last one of each round
    // can be compared.
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

pub fn scale(all: &Figures<'_>) -> Vec<Target> {
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
