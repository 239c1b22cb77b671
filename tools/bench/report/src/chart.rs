// SPDX-License-Identifier: GPL-2.0

//! A chart: two axes, lines, dots, and a label at each line instead of a legend.

use crate::{
    axis::Axis,
    labels,
    svg::{width_of, Anchor, Stroke, Svg, Text, FAINT, INK, SOFT},
};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 56.0;
const LEFT: f64 = 82.0;
/// The distance between the centres of labels.
const APART: f64 = 15.0;

/// Colours that can be distinguished with any colour vision (Okabe and Ito); dashes
/// distinguish lines without colours.
const PEERS: [(&str, &str); 7] = [
    ("#c04a00", ""),
    ("#007a5a", "7 3"),
    ("#a3487e", "2 3"),
    ("#8a6d00", "9 3 2 3"),
    ("#3e3e3e", "4 4"),
    ("#2f8fc4", "12 4"),
    ("#7a4fb5", "1 4"),
];

const OURS: &str = "#0059a8";

/// The style of a subject's line: GenP's is thick and blue in every picture, and a peer
/// has the same style in all of them.
pub fn stroke_of(subject: &str) -> Stroke {
    const LINE_STYLES: [&[&str]; 7] = [
        &["gen_pool_first_fit", "mmap_populate", "glibc", "mempool"],
        &["gen_pool_best_fit", "memfd", "jemalloc", "kmem_cache"],
        &["alloc_page", "dma_heap", "mimalloc", "kmalloc"],
        &["alloc_pages_nolock", "hugetlbfs", "rlsf", "kmalloc_nolock"],
        &["alloc_page_zeroed", "mempool_preallocated"],
        &["libgenp", "objpool", "alloc_page_uncleared"],
        &["alloc_pages_nolock_uncleared", "glibc_locked"],
    ];
    if subject == "genp" {
        return Stroke {
            colour: OURS,
            width: 3.0,
            dash: "",
        };
    }
    let known = LINE_STYLES
        .iter()
        .position(|names| names.contains(&subject));
    let (colour, dash) = PEERS[known.unwrap_or(PEERS.len() - 1)];
    Stroke {
        colour,
        width: 1.8,
        dash,
    }
}

/// The label at the end of a line.
struct End {
    at: (f64, f64),
    name: String,
    text: Text,
}

/// A chart that is being drawn.
pub struct Chart {
    svg: Svg,
    x: Axis,
    y: Axis,
    right: f64,
    /// Labels at the ends of lines.
    ends: Vec<End>,
}

impl Chart {
    /// An empty chart. `about` is the subtitle; `names` are the labels that will
    /// be at the lines.
    pub fn new(title: &str, about: &str, (x, y): (Axis, Axis), names: &[&str]) -> Self {
        let widest = names
            .iter()
            .map(|name| width_of(name, 13.0))
            .fold(0.0, f64::max);
        let mut chart = Self {
            svg: Svg::new(WIDTH, HEIGHT, &format!("{title} ({about})")),
            right: WIDTH - widest.max(12.0) - 20.0,
            x,
            y,
            ends: Vec::new(),
        };
        chart
            .svg
            .text((16.0, 20.0), title, Anchor::Start, Text::TITLE);
        chart
            .svg
            .text((16.0, 40.0), about, Anchor::Start, Text::SMALL);
        chart.axes();
        chart
    }

    fn position(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let bottom = HEIGHT - BOTTOM;
        (
            LEFT + (self.right - LEFT) * self.x.position(x),
            bottom - (bottom - TOP) * self.y.position(y),
        )
    }

    fn axes(&mut self) {
        const GRID: Stroke = Stroke {
            colour: FAINT,
            width: 1.0,
            dash: "",
        };
        let bottom = HEIGHT - BOTTOM;
        for (value, name) in self.y.ticks.clone() {
            let y = bottom - (bottom - TOP) * self.y.position(value);
            self.svg.line(&[(LEFT, y), (self.right, y)], GRID);
            self.svg
                .text((LEFT - 8.0, y), &name, Anchor::End, Text::SMALL);
        }
        for (value, name) in self.x.ticks.clone() {
            let x = LEFT + (self.right - LEFT) * self.x.position(value);
            self.svg.line(&[(x, TOP), (x, bottom)], GRID);
            self.svg
                .text((x, bottom + 14.0), &name, Anchor::Middle, Text::SMALL);
        }
        let ink = Stroke {
            colour: SOFT,
            ..GRID
        };
        self.svg
            .line(&[(LEFT, TOP), (LEFT, bottom), (self.right, bottom)], ink);
        let middle = (LEFT + self.right) / 2.0;
        let (below, above) = (self.x.title.clone(), self.y.title.clone());
        self.svg.text(
            (middle, HEIGHT - 16.0),
            &below,
            Anchor::Middle,
            Text::of(INK),
        );
        self.svg
            .text((16.0, TOP - 14.0), &above, Anchor::Start, Text::of(INK));
    }

    /// A subject's line through points, with dots on them and a label at its end.
    pub fn curve(&mut self, subject: &str, name: &str, points: &[(f64, f64)]) {
        let stroke = stroke_of(subject);
        self.line(name, points, stroke);
        let radius = if stroke.width > 2.0 { 3.5 } else { 2.5 };
        for &point in points {
            self.svg
                .dot(self.position(point), radius, stroke.colour, true);
        }
    }

    /// A line through points, with a label at its end.
    pub fn line(&mut self, name: &str, points: &[(f64, f64)], stroke: Stroke) {
        let positions: Vec<_> = points.iter().map(|&point| self.position(point)).collect();
        self.svg.line(&positions, stroke);
        let text = Text::of(stroke.colour);
        let text = if stroke.width > 2.0 {
            text.bold()
        } else {
            text
        };
        self.ends.extend(positions.last().map(|&at| End {
            at,
            name: name.into(),
            text,
        }));
    }

    /// Open dots without a line.
    pub fn dots(&mut self, points: &[(f64, f64)], colour: &str) {
        for &point in points {
            self.svg.dot(self.position(point), 3.0, colour, false);
        }
    }

    /// The drawing, with the labels right of it, apart from each other.
    pub fn finish(mut self) -> String {
        self.ends.sort_by(|a, b| a.at.1.total_cmp(&b.at.1));
        let wanted: Vec<f64> = self.ends.iter().map(|end| end.at.1).collect();
        let heights = spread(&wanted, APART, TOP - 4.0, HEIGHT - BOTTOM);
        for (end, y) in std::mem::take(&mut self.ends).into_iter().zip(heights) {
            let at = (self.right + 8.0, y);
            self.svg.text(at, &end.name, Anchor::Start, end.text);
        }
        self.svg.finish()
    }

    /// The drawing of lines that end anywhere: with each label at the end of its line or,
    /// if another label is there, above that.
    pub fn finish_beside_ends(mut self) -> String {
        self.ends.sort_by(|a, b| b.at.0.total_cmp(&a.at.0));
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        for end in std::mem::take(&mut self.ends) {
            let from = end.at.0 + 8.0;
            let to = from + width_of(&end.name, end.text.size);
            let mut y = end.at.1.min(HEIGHT - BOTTOM - 12.0);
            // Each label is passed at most once.
            while let Some(other) = taken
                .iter()
                .find(|other| (other.2 - y).abs() < APART && from < other.1 && other.0 < to)
            {
                y = other.2 - APART;
            }
            taken.push((from, to, y));
            self.svg.text((from, y), &end.name, Anchor::Start, end.text);
        }
        self.svg.finish()
    }
}

/// Moves sorted heights apart as little as is needed for a distance of `apart`; within
/// `top` and `bottom` as far as there is room.
fn spread(wanted: &[f64], apart: f64, top: f64, bottom: f64) -> Vec<f64> {
    // Groups of labels that touch, each around the mean of their wanted heights.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &height in wanted {
        groups.push((height, 1));
        while let [.., (above, more), (below, fewer)] = groups[..] {
            let gap = (more + fewer) as f64 / 2.0 * apart;
            if below - above >= gap {
                break;
            }
            let count = more + fewer;
            let mean = (above * more as f64 + below * fewer as f64) / count as f64;
            groups.truncate(groups.len() - 2);
            groups.push((mean, count));
        }
    }
    let mut heights = Vec::new();
    for (middle, count) in groups {
        let half = (count - 1) as f64 / 2.0 * apart;
        let first = (middle - half).min(bottom - 2.0 * half).max(top);
        heights.extend((0..count).map(|position| first + position as f64 * apart));
    }
    heights
}

/// The title of an axis with this unit.
pub fn unit_title(unit: &str) -> &'static str {
    match unit {
        "instructions" => "instructions",
        "ns" => "time",
        _ => "count",
    }
}

/// The labels of values in a unit.
pub fn unit_names(unit: &str) -> impl Fn(f64) -> String + '_ {
    move |value| labels::in_unit(value, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lie_on_each_other() {
        let wanted = [100.0, 101.0, 102.0, 300.0, 370.0, 373.0];
        let heights = spread(&wanted, 15.0, 60.0, 374.0);
        assert!(
            heights.windows(2).all(|pair| pair[1] - pair[0] >= 14.999),
            "{heights:?}"
        );
        assert!(heights.iter().all(|height| (60.0..=374.0).contains(height)));
        assert!((heights[1] - 101.0).abs() < 1e-9 && heights[3] == 300.0);
    }

    #[test]
    fn far_names_stay_where_they_are() {
        assert_eq!(spread(&[70.0, 200.0], 15.0, 60.0, 374.0), [70.0, 200.0]);
        assert!(spread(&[], 15.0, 60.0, 374.0).is_empty());
    }

    #[test]
    fn genp_is_the_thickest_line_of_all() {
        for peer in ["gen_pool_first_fit", "mmap_populate", "no one knows"] {
            assert!(stroke_of(peer).width < stroke_of("genp").width);
            assert_ne!(stroke_of(peer).colour, stroke_of("genp").colour);
        }
    }
}
