// SPDX-License-Identifier: GPL-2.0

//! The algorithms of GenP, without one kernel type.
//!
//! | module | what it is |
//! |---|---|
//! | [`accounting`] | admission of partitions, budgets, waiters, deadlines of leases |
//! | [`tlsf`] | regions of a reserve: two-level segregated fit |
//! | [`labyrinth`] | free pages of an atomic stock: a lock-free hierarchical bitmap |
//! | [`claims`] | which objects somebody has: a bit each, lock-free |
//! | [`watermarks`] | the watermarks of an atomic stock, and whether it suffices |
//! | [`block_counts`] | contiguous blocks: how many there are of each order |
//! | [`bounds`] | how large a reserve must be so that no allocation fails |
//! | [`histogram`] | durations in classes of powers of two |
//! | [`parameters`] | the limits of the module's parameters |
//! | [`recall_bound`] | the longest recall, from the tables and the machine's unit costs |
//! | [`recall_share`] | how much work of the recall thread a partition may cause |
//! | [`shape`] | how large a partition is to be, and whether a pool can have such a one |
//! | [`count`] | arithmetic on counts that cannot panic |
//! | [`owner`] | who owns a region or a lease |
//!
//! The kernel module and the crate `genp-core` compile the same files; the crate is
//! what the tests, the fuzz targets, the benchmarks and genpctl use. Nothing here
//! allocates, locks, sleeps or panics on what a caller passes in: tables come from the
//! caller, and each function has a bound on its steps.

#![warn(missing_docs)]
#![deny(rustdoc::broken_intra_doc_links)]

pub mod accounting;
pub mod block_counts;
pub mod bounds;
pub mod claims;
pub mod count;
pub mod histogram;
pub mod labyrinth;
pub mod owner;
pub mod parameters;
pub mod recall_bound;
pub mod recall_share;
pub mod samples;
pub mod shape;
pub mod tlsf;
pub mod watermarks;
