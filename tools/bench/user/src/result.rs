// SPDX-License-Identifier: GPL-2.0

//! Results, as one line of JSON per figure.

use std::fmt::Write;

/// The identity of a figure.
#[derive(Clone)]
pub struct Label {
    pub subject: &'static str,
    pub machine: String,
    /// The unit of costs, and the number of units per tick of the counter.
    pub unit: &'static str,
    pub scale: f64,
    /// fresh, pressure, ...
    pub state: &'static str,
    /// More members, each preceded by a comma.
    pub more: String,
}

/// The value that `per_mille` of the samples do not exceed.
fn quantile(sorted: &[u32], per_mille: usize) -> u32 {
    let last = sorted.len() - 1;
    sorted[(sorted.len() * per_mille / 1000).min(last)]
}

/// The upper bound of the class of a value: eight classes to each power of two.
fn class(value: u32) -> u32 {
    if value < 16 {
        return value;
    }
    let low = value.ilog2() - 3;
    value | ((1 << low) - 1)
}

fn histogram(sorted: &[u32]) -> Vec<(u32, usize)> {
    let mut classes: Vec<(u32, usize)> = Vec::new();
    for upper in sorted.iter().map(|&value| class(value)) {
        match classes.last_mut() {
            Some(last) if last.0 == upper => last.1 += 1,
            _ => classes.push((upper, 1)),
        }
    }
    classes
}

impl Label {
    fn scaled(&self, value: u32) -> u64 {
        (f64::from(value) * self.scale).round() as u64
    }

    fn head(&self, case: &str, unit: &str) -> String {
        format!(
            "genp-bench: {{\"group\":\"user\",\"case\":\"{case}\",\"subject\":\"{}\",\"unit\":\"{unit}\",\"machine\":\"{}\",\"state\":\"{}\"{}",
            self.subject, self.machine, self.state, self.more
        )
    }

    /// The line of a distribution. `repeats`: the largest cost that came in every
    /// repetition, and so was not caused by an interrupt.
    pub fn distribution(&self, case: &str, samples: &mut [u32], repeats: Option<u32>) -> String {
        samples.sort_unstable();
        if samples.is_empty() {
            return format!("{},\"n\":0}}", self.head(case, self.unit));
        }
        let mut line = self.head(case, self.unit);
        let value = |per_mille| self.scaled(quantile(samples, per_mille));
        let _ = write!(
            line,
            ",\"n\":{},\"min\":{},\"median\":{},\"p99\":{},\"p999\":{},\"max\":{}",
            samples.len(),
            self.scaled(samples[0]),
            value(500),
            value(990),
            value(999),
            value(1000)
        );
        if let Some(repeats) = repeats {
            let _ = write!(line, ",\"max_repeated\":{}", self.scaled(repeats));
        }
        let classes: Vec<String> = histogram(samples)
            .iter()
            .map(|&(upper, count)| format!("[{},{count}]", self.scaled(upper)))
            .collect();
        let _ = write!(line, ",\"histogram\":[{}]}}", classes.join(","));
        line
    }

    /// The line of a number of events among `pairs` pairs.
    pub fn count(&self, case: &str, pairs: u64, events: u64) -> String {
        format!(
            "{},\"n\":{pairs},\"median\":{events},\"max\":{events}}}",
            self.head(case, "count")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_their_values() {
        for value in 0..100_000 {
            let upper = class(value);
            assert!(upper >= value && upper - value <= value / 8);
            assert_eq!(class(upper), upper);
        }
    }

    #[test]
    fn quantiles_are_of_the_sorted() {
        let sorted: Vec<u32> = (0..1000).collect();
        assert_eq!(quantile(&sorted, 500), 500);
        assert_eq!(quantile(&sorted, 999), 999);
        assert_eq!(quantile(&sorted, 1000), 999);
        assert_eq!(quantile(&[7], 999), 7);
    }

    #[test]
    fn a_histogram_loses_nothing() {
        let sorted: Vec<u32> = (0..5000).map(|i| i * i / 7).collect();
        let classes = histogram(&sorted);
        assert_eq!(
            classes.iter().map(|class| class.1).sum::<usize>(),
            sorted.len()
        );
        assert!(classes.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
