// SPDX-License-Identifier: GPL-2.0

//! What tests and benchmarks that run in a guest share: ioctls as plain functions,
//! access to memory that may vanish, processes, random numbers, KTAP.

pub mod absence;
pub mod calls;
pub mod ktap;
pub mod machine;
pub mod memory;
pub mod owned;
pub mod pool;
pub mod process;
pub mod rng;

pub use genp::abi;
pub use genp::system::now;

/// Bytes of a page where tools/bench measures.
pub const PAGE: u64 = 4096;
/// Nanoseconds of a millisecond.
pub const MSEC: u64 = 1_000_000;
/// Nanoseconds of a second.
pub const SEC: u64 = 1_000_000_000;

/// Bytes of a page of this machine.
pub fn page_bytes() -> u64 {
    genp::system::page_size() as u64
}

/// An errno.
pub type Errno = i32;
