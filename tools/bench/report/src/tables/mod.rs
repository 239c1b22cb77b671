// SPDX-License-Identifier: GPL-2.0

//! The tables of each group.

mod borrowing;

use crate::{
    labels::{self, bytes, in_unit, machine, number, range, subject, time, times},
    query::Figures,
    rst::Page,
    run::Figure,
};

/// The tables of a group.
pub fn of_group(page: &mut Page, group: &str, all: &Figures<'_>) {
    refusals(page, all);
    let measured = all.only(Figure::is_measured);
    match group {
        "borrow" => borrowing::borrowing(page, &measured),
        "recall" => recall(page, &measured),
        "scale" => scale(page, &measured),
        "user" => heaps(page, &measured),
        _ => {
            for machine_name in measured.different(|figure| figure.machine.clone()) {
                page.minor_heading(&upper(&machine(&machine_name)));
                by_case(page, &measured.machine(&machine_name));
            }
        }
    }
}

/// With the first letter in upper case.
fn upper(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// What could not be measured, and why.
fn refusals(page: &mut Page, all: &Figures<'_>) {
    for figure in all.0.iter().filter(|figure| !figure.is_measured()) {
        let name = subject(&figure.subject);
        page.paragraph(&format!(
            "Not measured: {}, {name}. {}",
            figure.case, figure.note
        ));
    }
}

/// The identity of a row: everything but the subject and the fields shown as a range.
fn row_of(figure: &Figure) -> (String, String, String, String, String) {
    let size = figure.size.map(bytes).unwrap_or_default();
    let pages = figure.pages.map(labels::pages).unwrap_or_default();
    let state = match figure.group.as_str() {
        "kernel" if figure.case != "borrow" => String::new(),
        _ => figure.state.clone(),
    };
    (figure.case.clone(), size, pages, state, figure.unit.clone())
}

/// Subjects side by side, for each case, size and unit.
fn by_case(page: &mut Page, figures: &Figures<'_>) {
    let mut rows = Vec::new();
    // One case after the other, whatever order they were measured in.
    let cases = figures.different(|figure| figure.case.clone());
    let settings = cases.into_iter().flat_map(|case| {
        let same = figures.only(|figure| figure.case == case);
        same.different(row_of)
    });
    for setting in settings {
        let same = figures.only(|figure| row_of(figure) == setting);
        // A case of refusals has no other figures.
        let granted = same.granted();
        let same = if granted.is_empty() { same } else { granted };
        let best = Best::of(&same);
        let (case, size, pages, state, unit) = setting;
        let mut words = vec![case, size, pages, state];
        words.retain(|word| !word.is_empty());
        for name in same.subjects() {
            rows.push(row(&words.join(", "), &same.subject(&name), &unit, &best));
        }
    }
    page.table(
        &[
            "case",
            "who",
            "median",
            "p99.9",
            "worst",
            "median by best",
            "worst by best",
        ],
        &rows,
    );
}

/// Heaps side by side: each case with what it cost, without and with touching the memory,
/// and with its events.
fn heaps(page: &mut Page, figures: &Figures<'_>) {
    let settings = figures.different(|figure| (figure.machine.clone(), figure.state.clone()));
    for (machine_name, state) in settings {
        let state_label = if state.is_empty() {
            String::new()
        } else {
            format!(" ({state})")
        };
        page.minor_heading(&format!("{}{state_label}", upper(&machine(&machine_name))));
        let same = figures
            .machine(&machine_name)
            .only(|figure| figure.state == state);
        let costs = same.only(|figure| figure.unit != "count" && !figure.case.ends_with(TOUCHED));
        let mut rows = Vec::new();
        for case in costs.different(|figure| figure.case.clone()) {
            rows.extend(heaps_of_case(&same, &case));
        }
        let head = [
            "case",
            "who",
            "median",
            "p99.9",
            "worst",
            "worst, touched",
            "faults",
        ];
        let more = ["system calls", "median by best", "worst by best"];
        page.table(&[head.as_slice(), more.as_slice()].concat(), &rows);
    }
}

/// The suffix of cases whose memory is touched.
const TOUCHED: &str = "_touched";

fn heaps_of_case(figures: &Figures<'_>, case: &str) -> Vec<Vec<String>> {
    let of = |end: &str| figures.only(|figure| figure.case == format!("{case}{end}"));
    let (cost, touched) = (of(""), of(TOUCHED));
    let (faults, calls) = (of("_faults"), of("_syscalls"));
    let unit = cost.0.first().map_or("", |figure| figure.unit.as_str());
    let best = Best::of(&cost);
    let row_of = |name: String| {
        let mut cells = row(case, &cost.subject(&name), unit, &best);
        let touched = touched.subject(&name).highest(|figure| figure.max);
        let events = |of: &Figures<'_>| of.subject(&name).highest(|figure| figure.median);
        let shown =
            |value: Option<f64>, unit: &str| value.map_or("-".into(), |value| in_unit(value, unit));
        let more = [
            shown(touched, unit),
            shown(events(&faults), "count"),
            shown(events(&calls), "count"),
        ];
        cells.splice(5..5, more);
        cells
    };
    cost.subjects()
        .into_iter()
        .filter(|name| name != "nobody")
        .map(row_of)
        .collect()
}

/// The best peer: the lowest of the peers' highest medians, and of their worst cases.
struct Best {
    median: Option<f64>,
    worst: Option<f64>,
}

impl Best {
    fn of(figures: &Figures<'_>) -> Self {
        let peers = figures.only(Figure::is_peer);
        let each = |of: fn(&Figure) -> Option<f64>| {
            let names = peers.subjects();
            let highest = names
                .iter()
                .filter_map(|name| peers.subject(name).highest(of));
            highest.reduce(f64::min)
        };
        Self {
            median: each(|figure| figure.median),
            worst: each(|figure| figure.max),
        }
    }
}

/// A value divided by the best peer's.
fn by(value: Option<f64>, best: Option<f64>) -> String {
    match value.zip(best) {
        Some((value, best)) if best > 0.0 => times(value / best),
        _ => "-".into(),
    }
}

fn row(case: &str, figures: &Figures<'_>, unit: &str, best: &Best) -> Vec<String> {
    let shown = |value: Option<f64>| value.map_or("-".into(), |value| in_unit(value, unit));
    let (low, high) = (figures.lowest(|f| f.median), figures.highest(|f| f.median));
    let worst = figures.highest(|figure| figure.max);
    let median = match (low, high, unit) {
        (Some(low), Some(high), "ns") if time(low) != time(high) => {
            format!("{} - {}", time(low), time(high))
        }
        (Some(low), Some(_), "ns") => time(low),
        (Some(low), Some(high), _) => range(low, high),
        _ => "-".into(),
    };
    let name = figures
        .0
        .first()
        .map_or("", |figure| subject(&figure.subject));
    vec![
        case.into(),
        name.into(),
        median,
        shown(figures.highest(|figure| figure.p999)),
        shown(worst),
        by(high, best.median),
        by(worst, best.worst),
    ]
}

fn recall(page: &mut Page, figures: &Figures<'_>) {
    let shown =
        |value: Option<f64>, unit: &str| value.map_or("-".into(), |value| in_unit(value, unit));
    for machine_name in figures.different(|figure| figure.machine.clone()) {
        page.minor_heading(&upper(&machine(&machine_name)));
        let row = |figure: &&Figure| {
            let unit = &figure.unit;
            let ratio = figure.max.zip(figure.median);
            let who = if figure.case == "recall_last" {
                "last"
            } else {
                "each"
            };
            vec![
                who.into(),
                figure.pages.map_or("-".into(), number),
                figure.waiters.map_or("-".into(), number),
                figure.state.clone(),
                shown(figure.median, unit),
                shown(figure.p999, unit),
                shown(figure.max, unit),
                ratio.map_or("-".into(), |(worst, median)| times(worst / median)),
            ]
        };
        let same = figures
            .machine(&machine_name)
            .only(|figure| figure.pages.is_some());
        let rows: Vec<_> = same.0.iter().map(row).collect();
        page.table(
            &[
                "who",
                "pages",
                "waiters",
                "state",
                "median",
                "p99.9",
                "worst",
                "worst by median",
            ],
            &rows,
        );
    }
}

fn scale(page: &mut Page, figures: &Figures<'_>) {
    let row = |figure: &&Figure| {
        let value = figure.median.unwrap_or_default();
        let value = match figure.unit.as_str() {
            "bytes" => format!("{} B", number(value)),
            unit => in_unit(value, unit),
        };
        vec![
            figure.case.clone(),
            figure.pool.map(bytes).unwrap_or_default(),
            value,
            figure.machine.clone(),
            figure.note.clone(),
        ]
    };
    let rows: Vec<_> = figures.0.iter().map(row).collect();
    page.table(&["what", "pool", "measured", "machine", "note"], &rows);
}
