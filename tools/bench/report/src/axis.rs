// SPDX-License-Identifier: GPL-2.0

//! Axes: positions of values between two ends, and labelled values.

/// An axis.
#[derive(Clone, Debug)]
pub struct Axis {
    pub title: String,
    low: f64,
    high: f64,
    logarithmic: bool,
    /// The values with a grid line and a label.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A logarithmic axis over all of `values`, which are above zero: None if there are
    /// none. `name` is the label of a value.
    pub fn logarithmic(
        title: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        name: impl Fn(f64) -> String,
    ) -> Option<Self> {
        let (low, high) = ends(values.into_iter().filter(|&value| value > 0.0))?;
        // With some margin, and never an axis of one point.
        let (low, high) = (low / 1.15, high * 1.15);
        let (low, high) = if high / low < 4.0 {
            (low / 2.0, high * 2.0)
        } else {
            (low, high)
        };
        let ticks = decades(low, high)
            .into_iter()
            .map(|tick| (tick, name(tick)));
        Some(Self {
            title: title.into(),
            low,
            high,
            logarithmic: true,
            ticks: ticks.collect(),
        })
    }

    /// An axis with these ends.
    pub fn linear(title: impl Into<String>, low: f64, high: f64) -> Self {
        Self {
            title: title.into(),
            low,
            high,
            logarithmic: false,
            ticks: Vec::new(),
        }
    }

    /// With labels for these values, as far as they lie on the axis.
    pub fn naming(mut self, values: &[f64], name: impl Fn(f64) -> String) -> Self {
        let named = values.iter().map(|&value| (value, name(value)));
        self.ticks = named.filter(|&(value, _)| self.has(value)).collect();
        self
    }

    fn has(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The position of a value: 0 at the low end, 1 at the high end.
    pub fn position(&self, value: f64) -> f64 {
        let position = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        position.clamp(0.0, 1.0)
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// Powers of ten between two ends; with few of them also their halves or fifths, with many
/// of them not all, so that their labels have room.
fn decades(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let steps: &[f64] = match last - first {
        ..=2 => &[1.0, 2.0, 5.0],
        3 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let stride = ((last - first) as usize).div_ceil(7).max(1);
    (first..=last)
        .step_by(stride)
        .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
        .filter(|tick| (low..=high).contains(tick))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_lie_equally_far_apart() {
        let axis =
            Axis::logarithmic("cost", [120.0, 800_000.0], |value| value.to_string()).unwrap();
        let positions: Vec<f64> = [1e3, 1e4, 1e5].map(|value| axis.position(value)).into();
        let values: Vec<f64> = axis.ticks.iter().map(|tick| tick.0).collect();
        assert_eq!(values, [1e3, 1e4, 1e5]);
        assert!(
            (positions[1] - positions[0] - (axis.position(3e4) - axis.position(3e3))).abs() < 1e-9
        );
        assert!(axis.position(120.0) > 0.0 && axis.position(800_000.0) < 1.0);
        assert_eq!(axis.position(1.0), 0.0);
    }

    #[test]
    fn many_decades_are_not_all_named() {
        let axis = Axis::logarithmic("cost", [100.0, 1e12], |value| value.to_string()).unwrap();
        assert!((4..=8).contains(&axis.ticks.len()), "{:?}", axis.ticks);
    }

    #[test]
    fn one_value_has_an_axis_and_none_has_none() {
        let axis = Axis::logarithmic("cost", [300.0], |value| value.to_string()).unwrap();
        assert!(axis.ticks.len() >= 2);
        assert!((axis.position(300.0) - 0.5).abs() < 0.1);
        assert!(Axis::logarithmic("cost", [], |value| value.to_string()).is_none());
        assert!(Axis::logarithmic("cost", [0.0], |value| value.to_string()).is_none());
    }

    #[test]
    fn names_outside_of_the_axis_are_left_out() {
        let axis = Axis::linear("fill", 0.0, 100.0)
            .naming(&[-5.0, 0.0, 50.0, 200.0], |v| format!("{v} %"));
        assert_eq!(
            axis.ticks,
            [(0.0, "0 %".to_string()), (50.0, "50 %".to_string())]
        );
        assert_eq!(axis.position(50.0), 0.5);
    }
}
