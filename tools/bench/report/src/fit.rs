// SPDX-License-Identifier: GPL-2.0

//! A straight line through measured values: a constant and a slope.

/// `constant + slope * x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub constant: f64,
    pub slope: f64,
    /// The largest deviation of a point from the line, as a share of the point.
    pub worst: f64,
}

impl Line {
    /// The line with the least squares of relative deviations: a cost of one page counts
    /// as much as one of 4,096. None for fewer than two different x, or for values that are
    /// not above zero.
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        if points.iter().any(|&(x, y)| !(x > 0.0 && y > 0.0)) {
            return None;
        }
        // Each point weighs 1/y^2: then (y - line)^2 / y^2 is what is summed.
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            points.iter().map(|&(x, y)| of(x, y) / (y * y)).sum()
        };
        let (w, wx, wy) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
        let (wxx, wxy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
        let spread = w * wxx - wx * wx;
        if spread.is_nan() || spread <= f64::EPSILON * w * wxx {
            return None;
        }
        let slope = (w * wxy - wx * wy) / spread;
        let constant = (wy - slope * wx) / w;
        let mut line = Self {
            constant,
            slope,
            worst: 0.0,
        };
        let deviation = |&(x, y): &(f64, f64)| (line.at(x) - y).abs() / y;
        line.worst = points.iter().map(deviation).fold(0.0, f64::max);
        Some(line)
    }

    /// Whether it fits: no point lies far from it.
    pub fn is_good(&self) -> bool {
        self.worst <= 0.2
    }

    /// The value of the line at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.constant + self.slope * x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6 * b.abs().max(1.0)
    }

    #[test]
    fn a_line_is_found_again() {
        let points: Vec<_> = (0..13)
            .map(|order| f64::from(1 << order))
            .map(|pages| (pages, 8_000.0 + 320.0 * pages))
            .collect();
        let line = Line::through(&points).unwrap();
        assert!(
            near(line.constant, 8_000.0) && near(line.slope, 320.0),
            "{line:?}"
        );
        assert!(line.worst < 1e-9);
        assert!(near(line.at(64.0), 28_480.0));
    }

    #[test]
    fn small_costs_count_as_much_as_large_ones() {
        // A line through all but the last point: with absolute squares the last point alone
        // would decide, and the constant would be far off.
        let mut points: Vec<_> = (0..12)
            .map(|order| f64::from(1 << order))
            .map(|pages| (pages, 1_000.0 + 10.0 * pages))
            .collect();
        points.push((4096.0, 1.2 * (1_000.0 + 40_960.0)));
        let line = Line::through(&points).unwrap();
        assert!((line.constant - 1_000.0).abs() < 60.0, "{line:?}");
        assert!(line.worst > 0.05 && line.is_good(), "{line:?}");
    }

    #[test]
    fn a_line_far_from_its_points_is_not_good() {
        // Pages of a size that is 512 times as large.
        let steps: Vec<_> = [1.0, 64.0, 512.0, 1024.0, 4096.0]
            .map(|x: f64| (x, (x / 512.0).ceil()))
            .into();
        assert!(!Line::through(&steps).unwrap().is_good());
    }

    #[test]
    fn what_has_no_line_gets_none() {
        assert_eq!(Line::through(&[]), None);
        assert_eq!(Line::through(&[(1.0, 5.0)]), None);
        assert_eq!(Line::through(&[(2.0, 5.0), (2.0, 6.0)]), None);
        assert_eq!(Line::through(&[(1.0, 5.0), (2.0, 0.0)]), None);
        assert_eq!(Line::through(&[(1.0, 5.0), (f64::NAN, 6.0)]), None);
    }
}
