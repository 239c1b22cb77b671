// SPDX-License-Identifier: GPL-2.0

//! The worst case beside the median, of all subjects of a case.

use super::drawing::{about, comparable, Picture};
use crate::{
    axis::Axis,
    chart::{stroke_of, unit_names, unit_title},
    labels,
    query::Figures,
    rows::Rows,
    run::Figure,
};

pub fn draw(figures: &Figures<'_>) -> Vec<Picture> {
    let kernel = ["icount", "um1"]
        .iter()
        .filter_map(|machine| in_kernel(figures, machine));
    let mut pictures: Vec<Picture> = kernel.collect();
    pictures.extend(in_user_space(figures));
    pictures
}

/// A part of such a picture: subject, lowest median, worst case.
type Part = Vec<(String, f64, f64)>;

fn part(figures: &Figures<'_>) -> Part {
    let one = |subject: String| {
        let same = figures.subject(&subject);
        let median = same.lowest(|figure| figure.median)?;
        Some((subject, median, same.highest(|figure| figure.max)?))
    };
    figures.subjects().into_iter().filter_map(one).collect()
}

fn chart(title: &str, subtitle: &str, unit: &str, parts: &[(String, Part)]) -> Option<String> {
    let values = || {
        parts
            .iter()
            .flat_map(|(_, part)| part)
            .flat_map(|row| [row.1, row.2])
    };
    let x = Axis::logarithmic(unit_title(unit), values(), unit_names(unit))?;
    let count = parts.iter().map(|(_, part)| part.len() + 1).sum();
    let mut rows = Rows::new(title, subtitle, x, count);
    for (heading, part) in parts.iter().filter(|(_, part)| !part.is_empty()) {
        rows.heading(heading);
        for (subject, median, worst) in part {
            let name = labels::subject(subject);
            // With a coarse clock the median may be 0.
            let times = match *median > 0.0 {
                true => format!("× {}", labels::times(worst / median)),
                false => String::new(),
            };
            rows.row(name, (*median, *worst), &times, stroke_of(subject));
        }
    }
    Some(rows.finish())
}

fn in_kernel(figures: &Figures<'_>, machine: &str) -> Option<Picture> {
    let cases = [
        ("page", "one page"),
        ("object", "an object"),
        ("element", "an element of a guaranteed minimum"),
        ("region", "a region"),
    ];
    let parts: Vec<(String, Part)> = cases
        .map(|(case, words)| {
            let same = comparable(figures, case, machine);
            let size = same.0.first().and_then(|figure| figure.size);
            let heading = size.map_or(words.into(), |size| {
                format!("{words}, {}", labels::bytes(size))
            });
            (heading, part(&same))
        })
        .into();
    let unit = figures
        .machine(machine)
        .case("kernel", "page")
        .0
        .first()?
        .unit
        .clone();
    let title = "Take and give: median and worst case";
    let subtitle = format!(
        "dots: cheapest median, and worst case at any fill level; {}",
        about(machine)
    );
    Some(Picture {
        group: "kernel",
        file: format!("worst-{machine}.svg"),
        svg: chart(title, &subtitle, &unit, &parts)?,
        alt: title.into(),
    })
}

/// Whether it is a cost of a heap alone, without touching the block.
fn is_heap_cost(figure: &Figure) -> bool {
    let is_cost = figure.unit != "count" && !figure.case.ends_with("_touched");
    figure.group == "user" && is_cost && figure.subject != "nobody"
}

/// The heaps, on each machine and in each state.
fn in_user_space(figures: &Figures<'_>) -> Vec<Picture> {
    let heaps = figures.only(is_heap_cost);
    let settings = heaps.different(|f| (f.machine.clone(), f.state.clone(), f.unit.clone()));
    let kinds = [
        ("trace", "recorded programs"),
        ("heap", "synthetic programs"),
    ];
    let all = settings
        .iter()
        .flat_map(|setting| kinds.map(|kind| (setting, kind)));
    let draw =
        |((machine, state, unit), (kind, words)): (&(String, String, String), (&str, &str))| {
            let same =
                heaps.only(|f| f.machine == *machine && f.state == *state && f.unit == *unit);
            let same = same.only(|figure| figure.case.starts_with(kind));
            let cases = same.different(|figure| figure.case.clone());
            let parts = cases.into_iter().map(|case| {
                let rows = part(&same.only(|figure| figure.case == case));
                (case.trim_start_matches(kind).replace('_', " "), rows)
            });
            let parts: Vec<_> = parts.collect();
            let title = format!("Heaps, {words}: median and worst case ({state})");
            let subtitle = format!("dots: median, and worst case; {}", about(machine));
            Some(Picture {
                group: "user",
                file: format!("heap-worst-{kind}-{state}-{machine}.svg"),
                svg: chart(&title, &subtitle, unit, &parts)?,
                alt: title,
            })
        };
    all.filter_map(draw).collect()
}
