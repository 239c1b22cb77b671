// SPDX-License-Identifier: GPL-2.0

//! The module, room by room.

pub(crate) mod config;
pub(crate) mod control;
// Written for the host as well, where all of it is public and used.
#[allow(dead_code, unreachable_pub)]
pub(crate) mod core;
pub(crate) mod driver;
#[cfg(GENP_KUNIT)]
pub(crate) mod kunit;
pub(crate) mod overview;
pub(crate) mod partition;
pub(crate) mod pool;
pub(crate) mod stock;
pub(crate) mod sys;
