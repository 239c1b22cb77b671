// SPDX-License-Identifier: GPL-2.0

//! How long the operations of a partition took.

use kernel::prelude::*;
use pin_init::init_array_from_fn;

use crate::genp::{
    core::histogram::Histogram,
    sys::{
        abi,
        lock::{new_raw_lock, RawLock},
    },
};

/// The operations that are timed, by their number in the ABI.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Alloc = abi::GENP_OP_ALLOC as isize,
    Free = abi::GENP_OP_FREE as isize,
    Borrow = abi::GENP_OP_BORROW as isize,
    Wait = abi::GENP_OP_WAIT as isize,
    Return = abi::GENP_OP_RETURN as isize,
    Renew = abi::GENP_OP_RENEW as isize,
    Revoke = abi::GENP_OP_REVOKE as isize,
}

const OPERATIONS: usize = abi::GENP_OP_COUNT as usize;

/// A histogram for each operation. Its lock is a leaf. Context: any but NMI.
#[pin_data]
pub(crate) struct Timing {
    #[pin]
    histograms: RawLock<[Histogram; OPERATIONS]>,
}

impl Timing {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // In place: too large for the stack.
            histograms <- new_raw_lock!(
                init_array_from_fn(|_| Histogram::new()),
                "genp_timing"
            ),
        })
    }

    /// Records that `op` took `ns`. O(1).
    pub(crate) fn record(&self, op: Operation, ns: u64) {
        if let Some(histogram) = self.histograms.lock().get_mut(op as usize) {
            histogram.record(ns);
        }
    }

    /// The longest time of each operation.
    pub(super) fn longest(&self) -> [u64; OPERATIONS] {
        let histograms = self.histograms.lock();
        ::core::array::from_fn(|op| histograms.get(op).map_or(0, |h| h.longest()))
    }

    /// Forgets the longest times.
    pub(crate) fn reset_longest(&self) {
        for histogram in self.histograms.lock().iter_mut() {
            histogram.reset_longest();
        }
    }

    /// `GENP_GET_HISTOGRAM`: EINVAL for an operation that does not exist.
    pub(crate) fn counts(&self, op: u32) -> Result<[u64; abi::GENP_HISTOGRAM_BUCKETS as usize]> {
        let histograms = self.histograms.lock();
        let histogram = histograms.get(op as usize).ok_or(EINVAL)?;
        Ok(*histogram.counts())
    }

    /// Forgets the counts of an operation.
    pub(crate) fn reset_counts(&self, op: u32) {
        if let Some(histogram) = self.histograms.lock().get_mut(op as usize) {
            histogram.reset_counts();
        }
    }
}
