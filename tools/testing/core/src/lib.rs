// SPDX-License-Identifier: GPL-2.0

//! What the tests of `genp-core`, its fuzz targets and its benchmark share: words that
//! a labyrinth can be made of on the host, models to check against, and a small pool
//! with random borrowers.

pub mod atomic_words;
pub mod counted;
pub mod pool;
pub mod simulation;
pub mod summary;
pub mod world;
