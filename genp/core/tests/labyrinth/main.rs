// SPDX-License-Identifier: GPL-2.0

//! The labyrinth alone, interrupted by itself, with others at the same time, and in
//! every order of accesses there can be.

mod alone;
mod interleavings;
mod interrupted;
mod threads;

use genp_core_testing::{
    atomic_words::{HostWord, Watch, Watched},
    summary::{drain, first_leaf, is_exact, is_open, table},
};
