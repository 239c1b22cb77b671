// SPDX-License-Identifier: GPL-2.0

//! The cost of a call in pools larger than the memory of any machine here: the
//! algorithms alone.

use super::drawing::{about, Picture};
use crate::{
    axis::Axis,
    chart::{unit_names, unit_title, Chart},
    labels,
    query::Figures,
    run::Figure,
    svg::Stroke,
};

/// Cases, their labels, and the style of their lines.
const CASES: [(&str, &str, &str, &str); 4] = [
    ("page", "a page", "#0059a8", ""),
    ("page_last", "the last free page", "#0059a8", "7 3"),
    ("region", "a region", "#c04a00", ""),
    ("region_random", "a region among many", "#c04a00", "7 3"),
];

/// Worst cases, by the size of the pool.
fn worst(figures: &Figures<'_>) -> Vec<(f64, f64)> {
    let mut pools: Vec<f64> = figures
        .different(|figure| figure.pool)
        .into_iter()
        .flatten()
        .collect();
    pools.sort_by(f64::total_cmp);
    let point = |pool: f64| {
        let same = figures.only(|figure| figure.pool == Some(pool));
        Some((pool, same.highest(|figure: &Figure| figure.p999)?))
    };
    pools.into_iter().filter_map(point).collect()
}

pub fn draw(figures: &Figures<'_>) -> Vec<Picture> {
    let scale = figures
        .machine("icount")
        .only(|figure| figure.group == "scale");
    one(&scale).into_iter().collect()
}

fn one(figures: &Figures<'_>) -> Option<Picture> {
    let lines = CASES.map(|(case, name, colour, dash)| {
        let points = worst(&figures.only(|figure| figure.case == case));
        let width = 2.2;
        (
            name,
            points,
            Stroke {
                colour,
                width,
                dash,
            },
        )
    });
    let lines: Vec<_> = lines.into_iter().filter(|line| line.1.len() >= 2).collect();
    let points = || lines.iter().flat_map(|line| line.1.iter().copied());
    let unit = figures
        .only(|figure| figure.case == "page")
        .0
        .first()?
        .unit
        .clone();
    let mut pools: Vec<f64> = points().map(|point| point.0).collect();
    pools.sort_by(f64::total_cmp);
    pools.dedup();
    let x = Axis::logarithmic("size of the pool", pools.iter().copied(), labels::bytes)?;
    let x = x.naming(&pools, labels::bytes);
    let y = Axis::logarithmic(unit_title(&unit), points().map(|p| p.1), unit_names(&unit))?;
    let title = "GenP's algorithms in pools of up to 64 GiB";
    let subtitle = format!(
        "take and give, p99.9; tables alone, without what the module adds; {}",
        about("icount")
    );
    let names: Vec<&str> = lines.iter().map(|line| line.0).collect();
    let mut chart = Chart::new(title, &subtitle, (x, y), &names);
    for (name, points, stroke) in &lines {
        chart.line(name, points, *stroke);
        chart.dots(points, stroke.colour);
    }
    Some(Picture {
        group: "scale",
        file: "depth.svg".into(),
        alt: title.into(),
        svg: chart.finish(),
    })
}
