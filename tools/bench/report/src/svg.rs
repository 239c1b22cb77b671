// SPDX-License-Identifier: GPL-2.0

//! SVG drawings: lines, dots, text. Every drawing has a white background, so
//! that it reads the same on a dark page.

use std::fmt::Write;

/// A drawing. Coordinates are pixels from the upper left corner.
pub struct Svg(String);

/// The alignment of text at its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// The style of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    pub colour: &'static str,
    pub width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub dash: &'static str,
}

/// The colour of text and of axes.
pub const INK: &str = "#222222";
/// The colour of grid lines.
pub const FAINT: &str = "#e2e2e2";
/// The colour of secondary text.
pub const SOFT: &str = "#595959";

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// A coordinate, rounded to what can be seen.
fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(String::from).unwrap_or(text)
}

impl Svg {
    /// An empty drawing; `words` is its alternative text.
    pub fn new(width: f64, height: f64, words: &str) -> Self {
        let (width, height) = (at(width), at(height));
        let words = escaped(words);
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" \
             font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\">\n\
             <title>{words}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        ))
    }

    /// A line through points.
    pub fn line(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let points: Vec<String> = points
            .iter()
            .map(|&(x, y)| format!("{},{}", at(x), at(y)))
            .collect();
        if points.len() < 2 {
            return;
        }
        let dash = match stroke.dash {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        };
        let _ = writeln!(
            self.0,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{dash} stroke-linejoin=\"round\"/>",
            points.join(" "),
            stroke.colour,
            stroke.width
        );
    }

    /// A dot; if not `full`, with a white centre.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str, full: bool) {
        let fill = if full { colour } else { "#ffffff" };
        let _ = writeln!(
            self.0,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            at(x),
            at(y),
            at(radius)
        );
    }

    /// A line of text with its middle at the height `y`.
    pub fn text(&mut self, (x, y): (f64, f64), text: &str, anchor: Anchor, style: Text) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if style.bold {
            " font-weight=\"bold\""
        } else {
            ""
        };
        // On white, so that lines behind it do not matter.
        let _ = writeln!(
            self.0,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"{weight} \
             stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">{}</text>",
            at(x),
            at(y + style.size * 0.35),
            style.size,
            style.colour,
            escaped(text)
        );
    }

    /// The drawing.
    pub fn finish(mut self) -> String {
        self.0 += "</svg>\n";
        self.0
    }
}

/// The style of text.
#[derive(Clone, Copy)]
pub struct Text {
    pub size: f64,
    pub colour: &'static str,
    pub bold: bool,
}

impl Text {
    /// Ordinary text of a colour.
    pub const fn of(colour: &'static str) -> Self {
        Self {
            size: 13.0,
            colour,
            bold: false,
        }
    }

    /// Small text.
    pub const SMALL: Self = Self {
        size: 12.0,
        colour: SOFT,
        bold: false,
    };

    /// A title.
    pub const TITLE: Self = Self {
        size: 16.0,
        colour: INK,
        bold: true,
    };

    /// The same in bold.
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// The approximate width of a text; the fonts are not known here.
pub fn width_of(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.62
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_the_drawing() {
        let mut svg = Svg::new(10.0, 10.0, "a < b & \"c\"");
        svg.text((1.0, 1.0), "<x>", Anchor::Start, Text::SMALL);
        let text = svg.finish();
        assert!(text.contains("a &lt; b &amp; &quot;c&quot;"));
        assert!(text.contains("&lt;x&gt;") && !text.contains("<x>"));
        assert!(text.ends_with("</svg>\n"));
    }

    #[test]
    fn a_point_is_no_line() {
        let stroke = Stroke {
            colour: INK,
            width: 1.0,
            dash: "",
        };
        let mut svg = Svg::new(10.0, 10.0, "");
        svg.line(&[(1.0, 1.0)], stroke);
        assert!(!svg.finish().contains("polyline"));
    }
}
