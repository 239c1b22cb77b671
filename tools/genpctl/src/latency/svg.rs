// SPDX-License-Identifier: GPL-2.0

//! A picture of histograms: how often each call took how long, on logarithmic axes.

use std::fmt::Write;

use crate::time;

/// The name of a call, and how often it took 1 << k to 1 << (k + 1) ns.
pub type Named = (&'static str, [u64; 40]);

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Where the axes begin and end.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 370.0;
/// Colours that are told apart by who sees no red or green, too.
const COLOURS: [&str; 6] = [
    "#888888", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
];

/// What both axes show.
struct Axes {
    first: usize,
    last: usize,
    most: u64,
}

impl Axes {
    fn of(all: &[Named]) -> Self {
        let used = |k: &usize| all.iter().any(|(_, counts)| counts[*k] > 0);
        let first = (0..40).find(used).unwrap_or(0);
        Self {
            first,
            last: (0..40).rev().find(used).unwrap_or(first) + 1,
            most: all
                .iter()
                .flat_map(|(_, counts)| counts)
                .copied()
                .max()
                .unwrap_or(0),
        }
    }

    /// Where the bucket `k` begins.
    fn x(&self, k: usize) -> f64 {
        let part = (k - self.first) as f64 / (self.last - self.first) as f64;
        LEFT + part * (RIGHT - LEFT)
    }

    /// Where a count is.
    fn y(&self, count: u64) -> f64 {
        let top = (self.most as f64 + 1.0).log10().max(1.0);
        BOTTOM - (count as f64 + 1.0).log10() / top * (BOTTOM - TOP)
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"12\" fill=\"{colour}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// The axes with their marks.
fn axes(svg: &mut String, axes: &Axes) {
    for k in (axes.first..=axes.last).step_by((axes.last - axes.first).div_ceil(8)) {
        let x = axes.x(k);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\" stroke=\"#e2e2e2\"/>"
        );
        let label = time::short(1 << k);
        text(svg, (x, BOTTOM + 18.0), "middle", "#222222", &label);
    }
    let mut count = 1;
    while count <= axes.most {
        let y = axes.y(count);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"#e2e2e2\"/>"
        );
        text(
            svg,
            (LEFT - 8.0, y + 4.0),
            "end",
            "#222222",
            &count.to_string(),
        );
        count = count.saturating_mul(10);
    }
    text(
        svg,
        (LEFT, HEIGHT - 12.0),
        "start",
        "#222222",
        "time of a call",
    );
    text(svg, (LEFT - 8.0, TOP - 12.0), "end", "#222222", "calls");
}

/// The steps of one histogram.
fn steps(svg: &mut String, axes: &Axes, counts: &[u64], colour: &str) {
    let mut points = Vec::new();
    for k in axes.first..axes.last {
        let y = axes.y(counts.get(k).copied().unwrap_or(0));
        points.push(format!("{:.1},{y:.1}", axes.x(k)));
        points.push(format!("{:.1},{y:.1}", axes.x(k + 1)));
    }
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        points.join(" ")
    );
}

/// The picture.
pub fn picture(title: &str, all: &[Named]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"Helvetica, Arial, sans-serif\">\n\
         <title>How long calls of GenP took</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, (LEFT, 20.0), "start", "#222222", title);
    let scale = Axes::of(all);
    axes(&mut svg, &scale);
    for (number, (name, counts)) in all.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        steps(&mut svg, &scale, counts, colour);
        let x = LEFT + 60.0 + 100.0 * number as f64;
        text(&mut svg, (x, TOP - 12.0), "start", colour, name);
    }
    svg.push_str("</svg>\n");
    svg
}
