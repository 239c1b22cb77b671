// SPDX-License-Identifier: GPL-2.0

//! Tables that count how often they are accessed: what a call costs, without a machine.

use std::{
    cell::Cell,
    convert::Infallible,
    ops::{Deref, DerefMut},
};

use genp_core::accounting::Memory;

thread_local! {
    static ACCESSES: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ACCESSES.set(ACCESSES.get() + 1);
}

/// How often `work` accesses a table of a [`Counted`] memory, and what it returns.
pub fn accesses<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = ACCESSES.get();
    let answer = work();
    (ACCESSES.get() - before, answer)
}

/// Tables on the heap of the host that count.
pub struct Counted;

/// One of them.
pub struct CountedTable<T>(Vec<T>);

impl<T> Deref for CountedTable<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        count();
        &self.0
    }
}

impl<T> DerefMut for CountedTable<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        count();
        &mut self.0
    }
}

impl Memory for Counted {
    type Table<T: Clone> = CountedTable<T>;
    type Error = Infallible;

    fn table<T: Clone>(count: u32, value: T) -> Result<CountedTable<T>, Infallible> {
        Ok(CountedTable(vec![value; count as usize]))
    }
}
