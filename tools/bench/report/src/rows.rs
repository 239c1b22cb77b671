// SPDX-License-Identifier: GPL-2.0

//! A chart of rows: one each for a subject, with a full and an empty dot.

use crate::{
    axis::Axis,
    svg::{Anchor, Stroke, Svg, Text, FAINT, INK, SOFT},
};

const WIDTH: f64 = 760.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 50.0;
const ROW: f64 = 21.0;
const LEFT: f64 = 225.0;
/// Room for the text after the dots.
const RIGHT: f64 = WIDTH - 105.0;

/// A chart that is being drawn.
pub struct Rows {
    svg: Svg,
    x: Axis,
    /// The middle of the next row.
    y: f64,
}

impl Rows {
    /// An empty chart with room for `count` rows, headings included.
    pub fn new(title: &str, about: &str, x: Axis, count: usize) -> Self {
        let height = TOP + count as f64 * ROW + BOTTOM;
        let mut svg = Svg::new(WIDTH, height, &format!("{title} ({about})"));
        svg.text((16.0, 20.0), title, Anchor::Start, Text::TITLE);
        svg.text((16.0, 40.0), about, Anchor::Start, Text::SMALL);
        let grid = Stroke {
            colour: FAINT,
            width: 1.0,
            dash: "",
        };
        let bottom = height - BOTTOM;
        for (value, name) in &x.ticks {
            let at = LEFT + (RIGHT - LEFT) * x.position(*value);
            svg.line(&[(at, TOP - 8.0), (at, bottom)], grid);
            svg.text((at, bottom + 12.0), name, Anchor::Middle, Text::SMALL);
        }
        let middle = ((LEFT + RIGHT) / 2.0, height - 14.0);
        svg.text(middle, &x.title, Anchor::Middle, Text::of(INK));
        Self {
            svg,
            x,
            y: TOP + ROW / 2.0 - 6.0,
        }
    }

    /// The heading of the rows below.
    pub fn heading(&mut self, text: &str) {
        self.svg.text(
            (16.0, self.y + 2.0),
            text,
            Anchor::Start,
            Text::of(SOFT).bold(),
        );
        self.y += ROW;
    }

    /// A row: a filled dot at the first value, an open one at the second, and a text.
    pub fn row(&mut self, name: &str, (full, empty): (f64, f64), word: &str, stroke: Stroke) {
        let at = |value: f64| LEFT + (RIGHT - LEFT) * self.x.position(value);
        let (from, to) = (at(full), at(empty));
        let text = Text::of(stroke.colour);
        let text = if stroke.width > 2.0 {
            text.bold()
        } else {
            text
        };
        self.svg
            .text((LEFT - 12.0, self.y), name, Anchor::End, text);
        let line = Stroke { dash: "", ..stroke };
        self.svg.line(&[(from, self.y), (to, self.y)], line);
        self.svg.dot((to, self.y), 4.5, stroke.colour, false);
        self.svg.dot((from, self.y), 4.5, stroke.colour, true);
        self.svg.text(
            (to.max(from) + 10.0, self.y),
            word,
            Anchor::Start,
            Text::SMALL,
        );
        self.y += ROW;
    }

    /// The drawing.
    pub fn finish(self) -> String {
        self.svg.finish()
    }
}
