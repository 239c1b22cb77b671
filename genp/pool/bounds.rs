// SPDX-License-Identifier: GPL-2.0

//! What of the pool is bounded before anything has happened: R and the wait of the first
//! waiter. See [`recall_bound`].
//!
//! [`recall_bound`]: crate::genp::core::recall_bound

use kernel::sync::SetOnce;

use super::Pool;
use crate::genp::{
    core::recall_bound::{RecallBound, RecallLoad, UnitCosts, MAX_MAPPINGS, PIECE},
    sys::cpu,
};

/// What the steps of a recall cost on this machine.
pub(crate) struct RecallCosts {
    given: UnitCosts,
    measured: SetOnce<UnitCosts>,
}

impl RecallCosts {
    /// Those of the administrator; the others are the stated ones for now.
    pub(super) fn new(given: UnitCosts) -> Self {
        Self {
            given,
            measured: SetOnce::new(),
        }
    }

    /// Whether nothing is left to measure. Context: any.
    pub(crate) fn are_given(&self) -> bool {
        // Where one was not given, another value shows.
        self.given.or(&UnitCosts::STATED) == self.given
    }

    /// Whether they were measured. Context: any.
    pub(crate) fn are_measured(&self) -> bool {
        self.measured.as_ref().is_some()
    }

    /// Records what was measured, once: none is taken for less than is stated. Context:
    /// thread.
    pub(crate) fn measured(&self, costs: &UnitCosts) {
        self.measured.populate(costs.max(&UnitCosts::STATED));
    }

    /// What is given, else what was measured, else what is stated. Context: any.
    pub(crate) fn get(&self) -> UnitCosts {
        let otherwise = self.measured.as_ref().unwrap_or(&UnitCosts::STATED);
        self.given.or(otherwise)
    }
}

impl Pool {
    /// How much there can be of what a recall depends on, at any time. Context: any.
    fn recall_load(&self) -> RecallLoad {
        let config = &self.config;
        RecallLoad {
            leases: config.max_leases,
            pages: config.capacity,
            piece: PIECE,
            mappings: MAX_MAPPINGS,
            waiters: config.max_waiters,
            partitions: config.max_partitions,
            processors: cpu::count(),
        }
    }

    /// The longest recall there can be. Context: any.
    fn recall_bound(&self) -> RecallBound {
        self.recall_load().bound(&self.costs.get())
    }

    /// R, derived, in nanoseconds. Context: any.
    pub(crate) fn recall_bound_ns(&self) -> u64 {
        self.recall_bound().recall_ns()
    }

    /// The longest wait of the first waiter: see `Documentation/wait-bound.rst`.
    pub(crate) fn wait_bound_ns(&self) -> u64 {
        self.recall_bound()
            .wait_ns(self.config.max_lease_ns, &self.costs.get())
    }
}
