// SPDX-License-Identifier: GPL-2.0

//! The tables of borrowing: the methods by pages, their lines and their parts.

use super::{by, by_case, upper, Best};
use crate::{
    fit::Line,
    labels::{machine, number, subject},
    query::Figures,
    rst::Page,
    run::Figure,
};

/// The methods in columns, pages in rows; then their fitted lines.
pub(super) fn borrowing(page: &mut Page, figures: &Figures<'_>) {
    for machine_name in figures.different(|figure| figure.machine.clone()) {
        let whole = figures.case("borrow", "borrow").machine(&machine_name);
        if whole.is_empty() {
            continue;
        }
        page.minor_heading(&upper(&machine(&machine_name)));
        let unit = whole.0.first().map_or("", |figure| figure.unit.as_str());
        page.paragraph(&format!("Medians, in {unit}, by pages:"));
        by_pages(page, &whole);
        page.paragraph("The same as a constant, and a slope for each page. The line has the least relative deviations:");
        lines(page, &whole);
        page.paragraph("64 pages in parts, and the worst case:");
        let same = figures.machine(&machine_name);
        parts(page, &same.only(|figure| figure.pages == Some(64.0)));
        page.paragraph(
            "What nothing can be cheaper than: mapping and unmapping 64 pages that exist, and a \
             system call that does nothing:",
        );
        let floor = |figure: &Figure| ["map_unmap", "syscall"].contains(&figure.case.as_str());
        let of_64 = |figure: &Figure| figure.pages.is_none_or(|pages| pages == 64.0);
        by_case(page, &same.only(|figure| floor(figure) && of_64(figure)));
    }
}

/// A method: a subject and a state.
fn methods(figures: &Figures<'_>) -> Vec<(String, String)> {
    let mut methods = figures.different(|figure| (figure.subject.clone(), figure.state.clone()));
    methods.sort_by_key(|method| !method.0.contains("genp"));
    methods
}

fn method_label((name, state): &(String, String)) -> String {
    match state.as_str() {
        "" => subject(name).into(),
        "clean" => format!("{}, zeroed ahead", subject(name)),
        state => format!("{}, {state}", subject(name)),
    }
}

fn of_method<'a>(figures: &Figures<'a>, (name, state): &(String, String)) -> Figures<'a> {
    figures.only(|figure| figure.subject == *name && figure.state == *state)
}

fn by_pages(page: &mut Page, figures: &Figures<'_>) {
    let methods = methods(figures);
    let names: Vec<String> = methods.iter().map(method_label).collect();
    let mut head = vec!["pages"];
    head.extend(names.iter().map(String::as_str));
    let mut sizes: Vec<f64> = figures
        .different(|figure| figure.pages)
        .into_iter()
        .flatten()
        .collect();
    sizes.sort_by(f64::total_cmp);
    let row = |pages: f64| {
        let same = figures.only(|figure| figure.pages == Some(pages));
        let cell = |method: &(String, String)| {
            let median = of_method(&same, method).highest(|figure| figure.median);
            median.map_or("-".into(), number)
        };
        let mut cells = vec![number(pages)];
        cells.extend(methods.iter().map(cell));
        cells
    };
    let rows: Vec<_> = sizes.into_iter().map(row).collect();
    page.table(&head, &rows);
}

fn lines(page: &mut Page, figures: &Figures<'_>) {
    let row = |method: &(String, String)| {
        let line = Line::through(&of_method(figures, method).curve(|figure| figure.pages))?;
        if !line.is_good() {
            let nothing = || "-".to_string();
            return Some(vec![
                method_label(method),
                nothing(),
                nothing(),
                "no straight line".into(),
            ]);
        }
        Some(vec![
            method_label(method),
            number(line.constant),
            number(line.slope),
            format!("{:.1} %", line.worst * 100.0),
        ])
    };
    let rows: Vec<_> = methods(figures).iter().filter_map(row).collect();
    page.table(&["who", "constant", "each page", "worst deviation"], &rows);
}

/// The parts of borrowing in columns, and the whole beside the best peer's.
fn parts(page: &mut Page, figures: &Figures<'_>) {
    let case = |name: &str| figures.only(|figure| figure.case == name);
    let best = Best::of(&case("borrow"));
    let row = |method: &(String, String)| {
        let value = |name: &str| of_method(&case(name), method).highest(|figure| figure.median);
        let shown = |value: Option<f64>| value.map_or("-".into(), number);
        let worst = of_method(&case("borrow"), method).highest(|figure| figure.max);
        let mut cells = vec![method_label(method)];
        cells.extend(
            ["borrow_get", "borrow_touch", "borrow_give", "borrow"].map(|name| shown(value(name))),
        );
        cells.extend([
            shown(worst),
            by(value("borrow"), best.median),
            by(worst, best.worst),
        ]);
        cells
    };
    let rows: Vec<_> = methods(&case("borrow")).iter().map(row).collect();
    page.table(
        &[
            "who",
            "get",
            "touch",
            "give back",
            "whole",
            "worst",
            "whole by best",
            "worst by best",
        ],
        &rows,
    );
}
