// SPDX-License-Identifier: GPL-2.0

//! How long the operations of a partition took.

use super::Partition;
use crate::genp::{core::histogram::Histogram, sys::abi};

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

pub(super) const OPERATIONS: usize = abi::GENP_OP_COUNT as usize;

/// A histogram for each operation.
pub(crate) struct Timing {
    pub(super) histograms: [Histogram; OPERATIONS],
}

impl Timing {
    pub(super) const fn new() -> Self {
        Self {
            histograms: [const { Histogram::new() }; OPERATIONS],
        }
    }
}

impl Partition {
    /// Notes that `op` took so long. O(1). Context: any but NMI.
    pub(crate) fn note(&self, op: Operation, ns: u64) {
        if let Some(histogram) = self.timing.lock().histograms.get_mut(op as usize) {
            histogram.record(ns);
        }
    }
}
