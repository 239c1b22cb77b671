// SPDX-License-Identifier: GPL-2.0

//! The pictures of a run. One of which there are no figures is not drawn.

mod borrow;
mod depth;
mod fill;
mod latency;
mod pool;
mod recall;
mod worst;

use crate::{axis::Axis, chart::Chart, query::Figures, run::Figure, words};

/// A picture.
pub struct Picture {
    /// The section it belongs to: the group of its figures.
    pub group: &'static str,
    /// Its name beside the page.
    pub file: String,
    /// What it shows, for who does not see it.
    pub words: String,
    pub svg: String,
}

/// All pictures there are figures for.
pub fn all(figures: &Figures<'_>) -> Vec<Picture> {
    let parts = [
        worst::draw,
        fill::draw,
        pool::draw,
        depth::draw,
        latency::draw,
        borrow::draw,
        recall::draw,
    ];
    parts.iter().flat_map(|part| part(figures)).collect()
}

/// What is drawn of several machines: the words of one.
fn about(machine: &str) -> String {
    words::machine(machine)
}

/// What a pair of operations of a case is called.
fn case_words(case: &str) -> &str {
    match case {
        "page" => "Take and give one page",
        "object" => "Allocate and free an object",
        "element" => "Take and give an element",
        "region" => "Allocate and free a region",
        other => other,
    }
}

/// The size most figures of a case have, the smallest of several: others would not compare.
fn usual_size(figures: &Figures<'_>) -> Option<f64> {
    let mut sizes = figures.different(|figure| figure.size);
    sizes.sort_by(|a, b| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
    let count = |size: &Option<f64>| figures.only(|figure| figure.size == *size).0.len();
    sizes.into_iter().max_by_key(count).flatten()
}

/// Those of one case on one machine, of one size, whose calls were granted.
fn comparable<'a>(figures: &Figures<'a>, case: &str, machine: &str) -> Figures<'a> {
    let same = figures.case("kernel", case).machine(machine).granted();
    let size = usual_size(&same);
    same.only(|figure| figure.size == size)
}

/// A subject and its points.
type Curve = (String, Vec<(f64, f64)>);

/// The values of all points of some curves.
fn values(curves: &[Curve]) -> (Vec<f64>, Vec<f64>) {
    curves
        .iter()
        .flat_map(|(_, points)| points.iter().copied())
        .unzip()
}

/// The curves of all subjects that have at least two points.
fn curves(figures: &Figures<'_>, x: impl Fn(&Figure) -> Option<f64> + Copy) -> Vec<Curve> {
    let curve = |subject: String| {
        let points = figures.subject(&subject).curve(x);
        (points.len() >= 2).then_some((subject, points))
    };
    figures.subjects().into_iter().filter_map(curve).collect()
}

/// A picture of curves of the kernel's figures, GenP's on top; none without GenP's.
/// `told` is what the picture says of itself.
fn of_curves(
    file: String,
    title: String,
    told: &str,
    axes: (Axis, Axis),
    curves: &[Curve],
) -> Option<Picture> {
    if !curves.iter().any(|(subject, _)| subject == "genp") {
        return None;
    }
    let names: Vec<&str> = curves
        .iter()
        .map(|(subject, _)| words::subject(subject))
        .collect();
    let mut chart = Chart::new(&title, told, axes, &names);
    for (subject, points) in curves.iter().rev() {
        chart.curve(subject, words::subject(subject), points);
    }
    Some(Picture {
        group: "kernel",
        file,
        words: title,
        svg: chart.finish(),
    })
}
