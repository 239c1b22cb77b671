// SPDX-License-Identifier: GPL-2.0

//! A scene: the module loaded as a case says, and one play on it, instead of a case's calls.

use kernel::sim::{fail, files::leave_kernel, machine, Machine};

use super::{
    case::Case,
    load::Module,
    run::{params, set_up_memory},
};

/// Loads the module for `play`, and unloads it. All that is asked for is there. A violation
/// does not return.
pub(crate) fn run(mut case: Case, play: impl FnOnce(&Module) + 'static) {
    case.load.starving = false;
    case.load.range = false;
    case.plan.starve = 0;
    let machine = Machine::install(case.plan);
    set_up_memory(&case.load);
    let task = machine.spawn("insmod", false, move || live(&case, play));
    machine.start(task);
    machine.run();
}

fn live(case: &Case, play: impl FnOnce(&Module)) {
    let process = machine().processes.create(0);
    if let Some(task) = machine().task() {
        task.process.set(process);
    }
    let Ok(module) = Module::load(&params(&case.load)) else {
        fail("the module is not loaded");
    };
    leave_kernel();
    play(&module);
    drop(module.stop());
}
