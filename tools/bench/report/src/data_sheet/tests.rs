// SPDX-License-Identifier: GPL-2.0

//! Tests of the targets.

use super::{target::ICOUNT, *};
use crate::{
    query::tests::figure,
    run::{Figure, Run},
};

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

/// A clock whose steps are longer than a call measures 0.
#[test]
fn what_a_coarse_clock_did_not_see_decides_nothing() {
    let heap = |who, unit, machine, median| {
        figure(["user", "heap_pair", who, unit, machine], median, median)
    };
    let figures = vec![
        heap("genp", "instructions", ICOUNT, 64.0),
        heap("mimalloc", "instructions", ICOUNT, 50.0),
        heap("genp", "ns", "um1", 10.0),
        heap("mimalloc", "ns", "um1", 0.0),
    ];
    let judged = one(figures, "fastest peer");
    assert_eq!(
        (judged.measured.as_str(), judged.verdict().as_str()),
        ("1.28 times", "reached"),
    );
}
