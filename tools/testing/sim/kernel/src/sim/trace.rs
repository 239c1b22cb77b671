// SPDX-License-Identifier: GPL-2.0

//! What is written down of a run that is repeated, and how a run fails.

use core::cell::{Cell, RefCell};

use super::task::task_struct;

/// What is called with the text of a failure; it does not return.
pub type OnFailure = fn(&str) -> !;

thread_local! {
    static ENABLED: Cell<bool> = const { Cell::new(false) };
    static LAST: Cell<usize> = const { Cell::new(usize::MAX) };
    static ON_FAILURE: RefCell<Option<OnFailure>> = const { RefCell::new(None) };
}

/// Writes lines down from here on.
pub fn enable(on: bool) {
    ENABLED.set(on);
}

/// Whether lines are written down.
#[inline]
pub fn enabled() -> bool {
    ENABLED.get()
}

/// Has a failure reported this way.
pub fn on_failure(call: OnFailure) {
    ON_FAILURE.set(Some(call));
}

/// Writes a line.
pub fn line(text: &str) {
    let machine = super::machine();
    let who = machine.task().map_or("-", |task| &task.name);
    let how = match machine.task() {
        Some(task) if task.in_nmi.get() => " nmi",
        Some(task) if task.in_irq.get() => " irq",
        _ => "",
    };
    println!("{:>12} {who}{how}: {text}", machine.now());
}

pub(crate) fn switch(task: &task_struct) {
    if LAST.replace(task.index) != task.index {
        line(&format!("runs on processor {}", task.cpu.get()));
    }
}

pub(crate) fn failed(what: &str) -> ! {
    match ON_FAILURE.take() {
        Some(call) => call(what),
        None => panic!("{what}"),
    }
}
