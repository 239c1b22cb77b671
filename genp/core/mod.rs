// SPDX-License-Identifier: GPL-2.0

//! The algorithms, without one kernel type.
//!
//! These files compile unchanged in the kernel and on the host, where they are
//! tested. Nothing here allocates, locks, sleeps or panics on what a caller
//! passes in: tables come from outside, and every call has a bound on its steps.

pub mod accounting;
pub mod bounds;
pub mod histogram;
pub mod labyrinth;
pub mod owner;
pub mod tlsf;
pub mod watermarks;
