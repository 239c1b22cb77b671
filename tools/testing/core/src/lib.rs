// SPDX-License-Identifier: GPL-2.0

//! The files of `genp/core`, unchanged, as a crate of the host.

#[path = "../../../../genp/core/mod.rs"]
pub mod algorithms;
