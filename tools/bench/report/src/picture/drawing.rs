// SPDX-License-Identifier: GPL-2.0

//! A picture, and what all kinds of pictures share.

use crate::{axis::Axis, chart::Chart, labels, query::Figures, run::Figure};

/// A picture.
pub struct Picture {
    /// The section it belongs to: the group of its figures.
    pub group: &'static str,
    /// Its name beside the page.
    pub file: String,
    /// Alternative text.
    pub alt: String,
    pub svg: String,
}

/// The label of a machine.
pub fn about(machine: &str) -> String {
    labels::machine(machine)
}

/// The label of a case.
pub fn case_label(case: &str) -> &str {
    match case {
        "page" => "Take and give one page",
        "object" => "Allocate and free an object",
        "element" => "Take and give an element",
        "region" => "Allocate and free a region",
        other => other,
    }
}

/// The size of most figures of a case, the smallest of several: others cannot be compared.
pub fn usual_size(figures: &Figures<'_>) -> Option<f64> {
    let mut sizes = figures.different(|figure| figure.size);
    sizes.sort_by(|a, b| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
    let count = |size: &Option<f64>| figures.only(|figure| figure.size == *size).0.len();
    sizes.into_iter().max_by_key(count).flatten()
}

/// The granted figures of one case on one machine and of one size.
pub fn comparable<'a>(figures: &Figures<'a>, case: &str, machine: &str) -> Figures<'a> {
    let same = figures.case("kernel", case).machine(machine).granted();
    let size = usual_size(&same);
    same.only(|figure| figure.size == size)
}

/// A subject and its points.
pub type Curve = (String, Vec<(f64, f64)>);

/// The values of all points of some curves.
pub fn values(curves: &[Curve]) -> (Vec<f64>, Vec<f64>) {
    curves
        .iter()
        .flat_map(|(_, points)| points.iter().copied())
        .unzip()
}

/// The curves of all subjects that have at least two points.
pub fn curves(figures: &Figures<'_>, x: impl Fn(&Figure) -> Option<f64> + Copy) -> Vec<Curve> {
    let curve = |subject: String| {
        let points = figures.subject(&subject).curve(x);
        (points.len() >= 2).then_some((subject, points))
    };
    figures.subjects().into_iter().filter_map(curve).collect()
}

/// A picture of curves of the kernel's figures, GenP's on top; none without GenP's.
pub fn of_curves(
    file: String,
    title: String,
    subtitle: &str,
    axes: (Axis, Axis),
    curves: &[Curve],
) -> Option<Picture> {
    if !curves.iter().any(|(subject, _)| subject == "genp") {
        return None;
    }
    let names: Vec<&str> = curves
        .iter()
        .map(|(subject, _)| labels::subject(subject))
        .collect();
    let mut chart = Chart::new(&title, subtitle, axes, &names);
    for (subject, points) in curves.iter().rev() {
        chart.curve(subject, labels::subject(subject), points);
    }
    Some(Picture {
        group: "kernel",
        file,
        alt: title,
        svg: chart.finish(),
    })
}
