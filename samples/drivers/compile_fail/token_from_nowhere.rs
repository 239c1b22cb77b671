// SPDX-License-Identifier: GPL-2.0
// expect: E0133
// Code asserts that it may sleep, which is unsafe, without an unsafe block.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Partition, Thread};

pub fn interrupt(part: &Partition) {
    let thread = Thread::new();
    drop(part.borrow::<1>(&thread, 1000));
}
