// SPDX-License-Identifier: GPL-2.0

//! The module, by layers. Each imports only from those above it.

// The host compiles this as well, where all of it is public and used.
#[allow(dead_code, unreachable_pub)]
pub(crate) mod core;

pub(crate) mod sys;

pub(crate) mod frames;

pub(crate) mod stock;

pub(crate) mod pool;

pub(crate) mod partition;

pub(crate) mod registry;

pub(crate) mod driver;
pub(crate) mod threads;

pub(crate) mod entry;

#[cfg(GENP_KUNIT)]
pub(crate) mod kunit;
