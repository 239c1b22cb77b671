// SPDX-License-Identifier: GPL-2.0

//! The figures of this group, and how a failure is reported.

use stats::{Figure, Meter};

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// A figure of this group.
pub fn figure(meter: &Meter, case: &str) -> Figure {
    Figure::new(meter, "scale", case, "genp")
}

/// A figure in bytes, which are counted.
pub fn bytes(meter: &Meter, case: &str, samples: Vec<u64>) -> Figure {
    figure(meter, case).with("unit", "bytes").spread(samples)
}
