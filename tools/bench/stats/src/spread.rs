// SPDX-License-Identifier: GPL-2.0

//! The distribution of samples.

/// Classes of a distribution per power of two.
const CLASSES_PER_OCTAVE: u64 = 8;

/// Sorted samples; at least one.
#[derive(Clone, Debug)]
pub struct Spread(Vec<u64>);

impl Spread {
    /// None without samples.
    pub fn of(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        (!samples.is_empty()).then_some(Self(samples))
    }

    /// The number of samples.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest.
    pub fn min(&self) -> u64 {
        self.quantile(0.0)
    }

    /// The largest.
    pub fn max(&self) -> u64 {
        self.quantile(1.0)
    }

    /// The smallest sample that at least this share of all samples does not exceed: always a
    /// measured one, never a mean of two.
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        let place = rank.clamp(1, self.0.len()) - 1;
        self.0.get(place).copied().unwrap_or(0)
    }

    /// The distribution: upper ends of classes, each an eighth of its power of two
    /// wide, and the number of samples in each; empty classes are left out.
    pub fn classes(&self) -> Vec<(u64, u64)> {
        let mut classes: Vec<(u64, u64)> = Vec::new();
        for &sample in &self.0 {
            let upper = class_of(sample);
            match classes.last_mut() {
                Some((last, count)) if *last == upper => *count += 1,
                _ => classes.push((upper, 1)),
            }
        }
        classes
    }
}

/// The largest number in the class of `sample`.
fn class_of(sample: u64) -> u64 {
    if sample < CLASSES_PER_OCTAVE {
        return sample;
    }
    let width = 1 << (sample.ilog2() - CLASSES_PER_OCTAVE.ilog2());
    sample | (width - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(samples: &[u64]) -> Spread {
        Spread::of(samples.to_vec()).unwrap()
    }

    #[test]
    fn of_nothing_there_is_no_spread() {
        assert!(Spread::of(vec![]).is_none());
    }

    #[test]
    fn quantiles_are_samples_by_rank() {
        let all = spread(&(1..=1000).rev().collect::<Vec<_>>());
        assert_eq!(all.min(), 1);
        assert_eq!(all.quantile(0.5), 500);
        assert_eq!(all.quantile(0.99), 990);
        assert_eq!(all.quantile(0.999), 999);
        assert_eq!(all.max(), 1000);
        assert_eq!(spread(&[7, 9]).quantile(0.5), 7);
        assert_eq!(spread(&[7]).quantile(0.999), 7);
    }

    #[test]
    fn each_sample_is_in_a_class_that_ends_at_most_an_eighth_above() {
        for sample in (0..5000).chain([u64::MAX / 3, u64::MAX - 1, u64::MAX]) {
            let upper = class_of(sample);
            assert!(upper >= sample && upper - sample <= sample / 8, "{sample}");
            assert_eq!(class_of(upper), upper);
        }
    }

    #[test]
    fn classes_count_every_sample_once() {
        let classes = spread(&[3, 3, 100, 103, 104, 5000]).classes();
        assert_eq!(classes, [(3, 2), (103, 2), (111, 1), (5119, 1)]);
    }
}
