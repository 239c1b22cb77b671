// SPDX-License-Identifier: GPL-2.0

//! From a lease's deadline until its waiter has its frames.

use super::{
    drawing::{about, Picture},
    latency::{picture, tail, Tail},
};
use crate::{
    axis::Axis,
    chart::{unit_names, unit_title, Chart},
    labels,
    query::Figures,
    svg::Stroke,
};

const IDLE: &str = "#0059a8";
const HOGS: &str = "#c04a00";

pub fn draw(figures: &Figures<'_>) -> Vec<Picture> {
    let all = figures.case("recall", "recall");
    let mut pictures = Vec::new();
    for machine in all.different(|figure| figure.machine.clone()) {
        let same = all.machine(&machine);
        // Counts of instructions hardly differ: their distribution shows nothing.
        if machine != "icount" {
            pictures.extend(distribution(&same, &machine));
        }
        pictures.extend(by_pages(&same, &machine));
    }
    pictures
}

/// One line each for few, more and many pages, alone and with hogs.
fn distribution(figures: &Figures<'_>, machine: &str) -> Option<Picture> {
    const SIZES: [(f64, &str); 3] = [(1.0, ""), (64.0, "7 3"), (1024.0, "2 3")];

    let single = figures.only(|figure| figure.waiters == Some(1.0));
    let mut tails = Vec::new();
    for (state, colour, words) in [("idle", IDLE, ""), ("hogs", HOGS, ", hogs")] {
        for (pages, dash) in SIZES {
            let same = single.only(|figure| figure.state == state && figure.pages == Some(pages));
            let plural = if pages == 1.0 { "page" } else { "pages" };
            tails.extend(tail(&same.0).map(|steps| Tail {
                name: format!("{} {plural}{words}", labels::number(pages)),
                stroke: Stroke {
                    colour,
                    width: 2.0,
                    dash,
                },
                steps,
            }));
        }
    }
    let unit = single.0.first()?.unit.as_str();
    let title = "From the deadline to the frames in the waiter's hands";
    let subtitle = format!(
        "one waiter; hogs: SCHED_FIFO on every processor; {}",
        about(machine)
    );
    Some(Picture {
        group: "recall",
        file: format!("recall-{machine}.svg"),
        svg: picture(title, &subtitle, unit, tails)?,
        alt: title.into(),
    })
}

/// Median and worst case by pages.
fn by_pages(figures: &Figures<'_>, machine: &str) -> Option<Picture> {
    let single = figures.only(|figure| figure.waiters == Some(1.0));
    let mut lines = Vec::new();
    for (state, colour) in [("idle", IDLE), ("hogs", HOGS)] {
        let same = single.only(|figure| figure.state == state);
        for (what, dash, worst) in [("median", "", false), ("worst", "4 4", true)] {
            let value = |figure: &crate::run::Figure| {
                Some((
                    figure.pages?,
                    if worst { figure.max? } else { figure.median? },
                ))
            };
            let mut points: Vec<_> = same.0.iter().filter_map(|&figure| value(figure)).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let stroke = Stroke {
                colour,
                width: 2.0,
                dash,
            };
            if points.len() >= 2 {
                lines.push((format!("{state}, {what}"), points, stroke));
            }
        }
    }
    let points = || {
        lines
            .iter()
            .flat_map(|(_, points, _)| points.iter().copied())
    };
    let x = Axis::logarithmic("pages", points().map(|p| p.0), labels::number)?;
    let named: Vec<f64> = (0..7).map(|order| f64::from(1 << (2 * order))).collect();
    let x = x.naming(&named, labels::number);
    let unit = single.0.first()?.unit.as_str();
    let y = Axis::logarithmic(unit_title(unit), points().map(|p| p.1), unit_names(unit))?;
    let title = "From the deadline to the frames in the waiter's hands, by pages";
    let subtitle = format!("one waiter; {}", about(machine));
    let names: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
    let mut chart = Chart::new(title, &subtitle, (x, y), &names);
    for (name, points, stroke) in &lines {
        chart.line(name, points, *stroke);
        chart.dots(points, stroke.colour);
    }
    Some(Picture {
        group: "recall",
        file: format!("recall-pages-{machine}.svg"),
        alt: title.into(),
        svg: chart.finish(),
    })
}
