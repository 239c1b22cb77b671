// SPDX-License-Identifier: GPL-2.0

use genp_core::histogram::{Histogram, BUCKETS};

#[test]
fn times_fall_into_their_classes() {
    let mut histogram = Histogram::default();
    for ns in [0, 1, 2, 3, 4, 1023, 1024, u64::MAX] {
        histogram.record(ns);
    }
    assert_eq!(histogram.counts()[..3], [2, 2, 1]);
    assert_eq!(histogram.counts()[9], 1);
    assert_eq!(histogram.counts()[10], 1);
    assert_eq!(histogram.counts()[BUCKETS - 1], 1);
    assert_eq!(histogram.counts().iter().sum::<u64>(), 8);
    assert_eq!(histogram.longest(), u64::MAX);
    histogram.reset_longest();
    assert_eq!(histogram.longest(), 0);
    assert_eq!(histogram.counts()[9], 1);
}
