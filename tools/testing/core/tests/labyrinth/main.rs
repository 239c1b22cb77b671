// SPDX-License-Identifier: GPL-2.0

//! The labyrinth alone, interrupted by itself, with others at the same time, and in
//! every order of accesses there can be.

mod alone;
mod interleavings;
mod interrupted;
mod threads;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use genp_core_tests::{
    algorithms::labyrinth::Word,
    corridors::{drain, first_room, is_exact, is_open, table},
};

/// A word of the host.
#[derive(Debug, Default)]
struct HostWord(AtomicU64);

impl Word for HostWord {
    fn load(&self) -> u64 {
        self.0.load(SeqCst)
    }

    fn set(&self, bit: u32) -> bool {
        self.0.fetch_or(1 << bit, SeqCst) & (1 << bit) != 0
    }

    fn clear(&self, bit: u32) -> bool {
        self.0.fetch_and(!(1 << bit), SeqCst) & (1 << bit) != 0
    }

    fn observe(&self) -> u64 {
        self.0.fetch_add(0, SeqCst)
    }
}
