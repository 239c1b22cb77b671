// SPDX-License-Identifier: GPL-2.0

//! Queries figures of a run.

use std::collections::BTreeMap;

use crate::run::{Figure, Run};

/// Figures of a run.
#[derive(Clone, Debug)]
pub struct Figures<'a>(pub Vec<&'a Figure>);

impl<'a> Figures<'a> {
    /// All that were measured.
    pub fn of(run: &'a Run) -> Self {
        let measured = run.figures.iter().filter(|figure| figure.is_measured());
        Self(measured.collect())
    }

    /// Those for which `fits`.
    pub fn only(&self, fits: impl Fn(&Figure) -> bool) -> Self {
        Self(
            self.0
                .iter()
                .copied()
                .filter(|figure| fits(figure))
                .collect(),
        )
    }

    /// Those of a case.
    pub fn case(&self, group: &str, case: &str) -> Self {
        self.only(|figure| figure.group == group && figure.case == case)
    }

    /// Those of a machine.
    pub fn machine(&self, machine: &str) -> Self {
        self.only(|figure| figure.machine == machine)
    }

    /// Those of a subject.
    pub fn subject(&self, subject: &str) -> Self {
        self.only(|figure| figure.subject == subject)
    }

    /// Those whose calls were granted.
    pub fn granted(&self) -> Self {
        self.only(|figure| !figure.is_refusal())
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The different values, in order of their first appearance.
    pub fn different<T: PartialEq>(&self, of: impl Fn(&Figure) -> T) -> Vec<T> {
        let mut seen = Vec::new();
        for value in self.0.iter().map(|figure| of(figure)) {
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        seen
    }

    /// Their subjects: ours first.
    pub fn subjects(&self) -> Vec<String> {
        let mut names = self.different(|figure| figure.subject.clone());
        names.sort_by_key(|name| !name.contains("genp"));
        names
    }

    /// The largest of a value that they have.
    pub fn highest(&self, of: impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        self.0
            .iter()
            .filter_map(|figure| of(figure))
            .reduce(f64::max)
    }

    /// The smallest of a value that they have.
    pub fn lowest(&self, of: impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        self.0
            .iter()
            .filter_map(|figure| of(figure))
            .reduce(f64::min)
    }

    /// The highest median for each `x`, sorted by `x`.
    pub fn curve(&self, x: impl Fn(&Figure) -> Option<f64>) -> Vec<(f64, f64)> {
        let mut highest: BTreeMap<u64, f64> = BTreeMap::new();
        for figure in &self.0 {
            if let (Some(x), Some(median)) = (x(figure), figure.median) {
                let entry = highest.entry(x as u64).or_insert(median);
                *entry = entry.max(median);
            }
        }
        highest.into_iter().map(|(x, y)| (x as f64, y)).collect()
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A figure with a median and a worst case.
    pub fn figure(of: [&str; 5], median: f64, max: f64) -> Figure {
        let [group, case, subject, unit, machine] = of.map(String::from);
        Figure {
            group,
            case,
            subject,
            unit,
            machine,
            n: Some(100.0),
            median: Some(median),
            max: Some(max),
            ..Default::default()
        }
    }

    #[test]
    fn a_curve_has_the_dearest_of_each_place() {
        let mut figures = Vec::new();
        for (fill, median) in [(90.0, 20.0), (10.0, 5.0), (90.0, 30.0)] {
            let one = figure(["kernel", "page", "genp", "ns", "um1"], median, 40.0);
            let fill = Some(fill);
            figures.push(Figure { fill, ..one });
        }
        let run = Run {
            figures,
            ..Default::default()
        };
        let all = Figures::of(&run).case("kernel", "page");
        assert_eq!(all.curve(|figure| figure.fill), [(10.0, 5.0), (90.0, 30.0)]);
        assert_eq!(all.lowest(|figure| figure.median), Some(5.0));
        assert_eq!(all.highest(|figure| figure.median), Some(30.0));
        assert!(all.case("kernel", "region").is_empty());
    }
}
