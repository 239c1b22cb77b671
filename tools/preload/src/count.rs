// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is counted for the report at the end.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter.
pub struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Requests that failed because the reserve was full.
pub static REFUSED: Count = Count::new();
/// Requests that libc served because the reserve was full.
pub static OVERFLOWED: Count = Count::new();
/// Requests of signal handlers that libc served, because they interrupted a change of
/// the heap.
pub static IN_HANDLERS: Count = Count::new();
