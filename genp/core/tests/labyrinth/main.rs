// SPDX-License-Identifier: GPL-2.0

//! The labyrinth with one caller, interrupted by itself, with several threads, and in
//! every possible order of accesses.

mod alone;
mod interleavings;
mod interrupted;
mod threads;

use genp_core_testing::{
    atomic_words::{HostWord, Watch, Watched},
    summary::{drain, first_leaf, is_exact, is_open, table},
};
