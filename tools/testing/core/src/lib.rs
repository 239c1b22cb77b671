// SPDX-License-Identifier: GPL-2.0

//! The files of `genp/core`, unchanged, as a crate of the host; and what more than
//! one of the programs that test them looks at them with.

#[path = "../../../../genp/core/mod.rs"]
pub mod algorithms;
pub mod corridors;
pub mod simulation;
pub mod words;
