// SPDX-License-Identifier: GPL-2.0

//! Durations.

/// A duration.
#[derive(Clone, Copy)]
pub struct Delta(u64);

impl Delta {
    /// From microseconds.
    pub const fn from_micros(us: i64) -> Self {
        Self(us as u64 * 1_000)
    }

    /// From milliseconds.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms as u64 * 1_000_000)
    }
}

/// Sleeping for a time.
pub mod delay {
    /// Context: thread, may sleep.
    pub fn fsleep(delta: super::Delta) {
        crate::sim::machine().sleep_for(delta.0);
    }
}
