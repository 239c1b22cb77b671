// SPDX-License-Identifier: GPL-2.0

//! The cost of borrowing by pages, with fitted lines.

use super::drawing::{about, Picture};
use crate::{
    axis::Axis,
    chart::{stroke_of, unit_names, Chart},
    fit::Line,
    labels,
    query::Figures,
    svg::Stroke,
};

/// The figures of one method.
struct Way {
    subject: String,
    state: String,
    points: Vec<(f64, f64)>,
    line: Option<Line>,
}

impl Way {
    fn name(&self) -> String {
        let name = labels::subject(&self.subject);
        match self.state.as_str() {
            "" => name.into(),
            "clean" => format!("{name}, zeroed ahead"),
            state => format!("{name}, {state}"),
        }
    }

    /// GenP with dirty frames has GenP's style, but dashed.
    fn stroke(&self) -> Stroke {
        let dash = if self.state == "scrubbed" {
            "8 4"
        } else {
            stroke_of(&self.subject).dash
        };
        Stroke {
            dash,
            ..stroke_of(&self.subject)
        }
    }
}

fn ways(figures: &Figures<'_>) -> Vec<Way> {
    let mut ways = Vec::new();
    for subject in figures.subjects() {
        let same = figures.subject(&subject);
        for state in same.different(|figure| figure.state.clone()) {
            let points = same
                .only(|figure| figure.state == state)
                .curve(|figure| figure.pages);
            ways.push(Way {
                line: Line::through(&points).filter(Line::is_good),
                subject: subject.clone(),
                state,
                points,
            });
        }
    }
    ways
}

pub fn draw(figures: &Figures<'_>) -> Vec<Picture> {
    let all = figures.case("borrow", "borrow").machine("icount");
    // libgenp adds one call to GenP; its line would cover GenP's.
    let all = all.only(|figure| figure.subject != "libgenp");
    one(&all).into_iter().collect()
}

fn one(figures: &Figures<'_>) -> Option<Picture> {
    let ways = ways(figures);
    let points = || ways.iter().flat_map(|way| way.points.iter().copied());
    let unit = figures.0.first()?.unit.clone();
    let x = Axis::logarithmic("pages", points().map(|p| p.0), labels::number)?;
    let named: Vec<f64> = (0..7).map(|order| f64::from(1 << (2 * order))).collect();
    let x = x.naming(&named, labels::number);
    let y = Axis::logarithmic("instructions", points().map(|p| p.1), unit_names(&unit))?;
    let title = "Get, touch and give back pages";
    let subtitle = format!(
        "dots: medians; lines: constant + slope x pages; {}",
        about("icount")
    );
    let names: Vec<String> = ways.iter().map(Way::name).collect();
    let names_of: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut chart = Chart::new(title, &subtitle, (x, y), &names_of);
    for (way, name) in ways.iter().zip(&names).rev() {
        let (first, last) = (way.points.first()?.0, way.points.last()?.0);
        // A straight line is curved between logarithmic axes.
        let steps = (0..=40).map(|step| first * (last / first).powf(f64::from(step) / 40.0));
        let line: Vec<(f64, f64)> = match way.line {
            Some(line) => steps
                .map(|x| (x, line.at(x)))
                .filter(|&(_, y)| y > 0.0)
                .collect(),
            None => way.points.clone(),
        };
        chart.line(name, &line, way.stroke());
        chart.dots(&way.points, way.stroke().colour);
    }
    Some(Picture {
        group: "borrow",
        file: "borrow-pages.svg".into(),
        alt: title.into(),
        svg: chart.finish(),
    })
}
