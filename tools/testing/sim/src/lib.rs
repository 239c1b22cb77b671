// SPDX-License-Identifier: GPL-2.0

//! The module on a simulated kernel, driven by seeds.
//!
//! `genp` is the module: the same files, unchanged. The crate `kernel` and the C side are
//! simulated, see `genp-sim-kernel`. A seed makes a case: how the module is loaded, what
//! processes, drivers and interrupts do, and what comes in between whom. After each call,
//! and at the end, it is checked what must hold; the first violation ends the run, with
//! the seed that repeats it.

#![feature(arbitrary_self_types)]

#[allow(dead_code, unreachable_pub, clippy::all)] // As the module is compiled for itself.
#[path = "../../../../genp/mod.rs"]
mod genp;

mod actors;
mod blocks;
pub mod case;
mod check;
pub mod double_frees;
mod drivers;
pub mod errors_on_their_way;
mod handler;
mod load;
pub mod run;
mod scene;
mod serial;
mod world;
