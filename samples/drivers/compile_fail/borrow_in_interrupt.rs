// SPDX-License-Identifier: GPL-2.0
// expect: E0277
// Code for an interrupt calls what may sleep: it cannot capture the token.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Partition, Thread, Tick};

pub fn driver(thread: &Thread, part: &Partition) {
    let interrupt = || drop(part.borrow::<1>(thread, 1000));
    Tick::new(&interrupt).run();
}
