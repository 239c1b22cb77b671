// SPDX-License-Identifier: GPL-2.0

//! The distribution of latencies: the share of requests that took a time or longer.

use std::collections::BTreeMap;

use super::drawing::{about, case_label, comparable, Picture};
use crate::{
    axis::Axis,
    chart::{stroke_of, unit_names, unit_title, Chart},
    labels,
    query::Figures,
    run::Figure,
    svg::Stroke,
};

/// One line of such a picture.
pub struct Tail {
    pub name: String,
    pub stroke: Stroke,
    /// The cost, and the share of samples that are not below.
    pub steps: Vec<(f64, f64)>,
}

/// The share of all samples of `figures` in each class or above it, as the corners of a
/// staircase. None without distributions.
pub fn tail(figures: &[&Figure]) -> Option<Vec<(f64, f64)>> {
    let mut classes: BTreeMap<u64, f64> = BTreeMap::new();
    for &(upper, count) in figures.iter().flat_map(|figure| &figure.histogram) {
        *classes.entry(upper as u64).or_default() += count;
    }
    let all: f64 = classes.values().sum();
    if all <= 0.0 {
        return None;
    }
    let mut steps = Vec::new();
    let mut left = all;
    for (&upper, &count) in &classes {
        let upper = (upper as f64).max(1.0);
        steps.push((upper, left / all));
        left -= count;
        // The last step ends at its own share, not at 0.
        if left > 0.5 {
            steps.push((upper, left / all));
        }
    }
    Some(steps)
}

/// A picture of tails; None without tails.
pub fn picture(title: &str, subtitle: &str, unit: &str, tails: Vec<Tail>) -> Option<String> {
    let points = || tails.iter().flat_map(|tail| tail.steps.iter().copied());
    let share = |share: f64| match share {
        share if share >= 1.0 => "all".into(),
        share => format!("1 in {}", labels::number(1.0 / share)),
    };
    let x = Axis::logarithmic(unit_title(unit), points().map(|p| p.0), unit_names(unit))?;
    let y = Axis::logarithmic(
        "requests that took so long, or longer",
        points().map(|p| p.1),
        share,
    )?;
    let powers: Vec<f64> = (0..9).map(|power| 10f64.powi(-power)).collect();
    let y = y.naming(&powers, share);
    let names: Vec<&str> = tails.iter().map(|tail| tail.name.as_str()).collect();
    let mut chart = Chart::new(title, subtitle, (x, y), &names);
    for tail in tails.iter().rev() {
        chart.line(&tail.name, &tail.steps, tail.stroke);
    }
    Some(chart.finish_beside_ends())
}

pub fn draw(figures: &Figures<'_>) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for machine in ["um1", "um2"] {
        pictures.extend(
            ["page", "object", "region"]
                .iter()
                .filter_map(|case| in_kernel(figures, case, machine)),
        );
    }
    pictures.extend(in_user_space(figures));
    pictures
}

fn tails(figures: &Figures<'_>) -> Vec<Tail> {
    let one = |subject: String| {
        Some(Tail {
            steps: tail(&figures.subject(&subject).0)?,
            stroke: stroke_of(&subject),
            name: labels::subject(&subject).into(),
        })
    };
    figures.subjects().into_iter().filter_map(one).collect()
}

fn in_kernel(figures: &Figures<'_>, case: &str, machine: &str) -> Option<Picture> {
    let same = comparable(figures, case, machine);
    let unit = same.0.first()?.unit.clone();
    let title = format!("{}, distribution", case_label(case));
    let rival = if machine == "um2" {
        ", a rival on the other one"
    } else {
        ""
    };
    let subtitle = format!(
        "all fill levels and states together; {}{rival}",
        about(machine)
    );
    Some(Picture {
        group: "kernel",
        file: format!("{case}-latency-{machine}.svg"),
        svg: picture(&title, &subtitle, &unit, tails(&same))?,
        alt: title,
    })
}

/// Heaps: a picture of all cases for each state with times.
fn in_user_space(figures: &Figures<'_>) -> Vec<Picture> {
    let heaps = figures
        .only(|figure| figure.group == "user" && figure.unit == "ns" && figure.subject != "nobody");
    let heaps = heaps.only(|figure| !figure.case.ends_with("_touched"));
    let settings = heaps.different(|figure| (figure.machine.clone(), figure.state.clone()));
    let draw = |(machine, state): (String, String)| {
        let same = heaps.only(|figure| figure.machine == machine && figure.state == state);
        let title = format!("Heaps: allocate and free, distribution ({state})");
        let subtitle = format!("all programs together; {}", about(&machine));
        Some(Picture {
            group: "user",
            file: format!("heap-latency-{state}-{machine}.svg"),
            svg: picture(&title, &subtitle, "ns", tails(&same))?,
            alt: title,
        })
    };
    settings.into_iter().filter_map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(histogram: &[(f64, f64)]) -> Figure {
        Figure {
            histogram: histogram.to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn a_tail_begins_with_all_and_ends_with_the_worst() {
        let (a, b) = (
            with(&[(10.0, 90.0), (20.0, 5.0)]),
            with(&[(20.0, 4.0), (900.0, 1.0)]),
        );
        let steps = tail(&[&a, &b]).unwrap();
        assert_eq!(
            steps,
            [
                (10.0, 1.0),
                (10.0, 0.1),
                (20.0, 0.1),
                (20.0, 0.01),
                (900.0, 0.01)
            ]
        );
    }

    #[test]
    fn without_a_distribution_there_is_no_tail() {
        assert!(tail(&[]).is_none());
        assert!(tail(&[&with(&[])]).is_none());
        assert!(picture("", "", "ns", vec![]).is_none());
    }
}
