// SPDX-License-Identifier: GPL-2.0

//! Creates the partitions of a plan and holds them, as a service does.

mod files;
mod notify;
mod set;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    os::fd::AsFd,
};

use genp::Descriptor;
use serde_json::{json, Value};

use crate::{
    cli::{ApplyArgs, CreateArgs},
    create,
    interrupt::{Interrupts, Woken},
    output::Format,
    plan::PartitionPlan,
    pool,
    problem::Problem,
};
use notify::Service;
use set::{Change, Maker, Set};

/// The module.
struct Module;

/// The command line of `create` for a partition of a plan.
fn arguments(plan: &PartitionPlan) -> CreateArgs {
    let some = |number: u32| (number != 0).then_some(number);
    CreateArgs {
        // Plans have no partitions of partitions.
        quota: 0,
        max_children: 0,
        parent: None,
        name: Some(plan.name.clone()),
        reserve: plan.reserve,
        borrow: plan.borrow,
        stock: plan.stock,
        stock_limit: plan.stock_limit,
        stock_low: plan.stock_low,
        blocks: plan.blocks,
        mode: plan.mode,
        unit: plan.unit,
        max_regions: some(plan.max_regions),
        term: None,
        node: plan.node,
        range: false,
        restrict: None,
        multimap: plan.multimap,
        max_leases: some(plan.max_leases),
        command: Vec::new(),
    }
}

impl Maker for Module {
    type Held = Descriptor;

    fn make(&mut self, plan: &PartitionPlan) -> Result<Descriptor, Problem> {
        create::make(&arguments(plan))
    }

    fn end(&mut self, held: Descriptor) {
        // One that is destroyed already is what is wanted.
        let _ = held.destroy();
    }
}

/// What happened, for programs.
fn document(event: &str, change: &Change) -> Value {
    json!({ "event": event, "made": change.made, "ended": change.ended })
}

/// What happened, for people.
fn text(change: &Change) -> String {
    let line = |what: &str, name: &String| format!("{what} {name}\n");
    let made = change.made.iter().map(|name| line("made", name));
    let ended = change.ended.iter().map(|name| line("ended", name));
    let text: String = made.chain(ended).collect();
    match text.as_str() {
        "" => "nothing has changed\n".to_owned(),
        _ => text,
    }
}

/// Tells of what ends nothing.
fn complain(problem: &Problem) {
    // If stderr is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "genpctl: {problem}");
}

/// Holds the partitions until a signal ends it; SIGHUP reads the files again.
fn hold(
    set: &mut Set<Module>,
    args: &ApplyArgs,
    interrupts: &Interrupts,
    service: &Service,
    format: Format,
) -> Result<(), Problem> {
    loop {
        let files: Vec<_> = set.held().map(|held| held.as_fd()).collect();
        let woken = interrupts.wait(&files).map_err(|error| {
            Problem::new(
                "cannot wait for signals",
                error,
                "See the kernel's log: dmesg.",
            )
        })?;
        match woken {
            Woken::Signal(libc::SIGHUP) => {
                service.reloading();
                let applied = pool::info()
                    .and_then(|info| files::read(&args.files, &info))
                    .and_then(|plan| set.apply(&plan));
                match applied {
                    Ok(change) => {
                        format.print(|| document("reloaded", &change), || text(&change))?
                    }
                    Err(problem) => complain(&problem),
                }
                service.ready(set.len());
            }
            Woken::Signal(_) => return Ok(()),
            Woken::Hangup(number) => {
                let change = Change {
                    ended: set.lose(number).into_iter().collect(),
                    ..Default::default()
                };
                format.print(|| document("destroyed", &change), || text(&change))?;
            }
        }
    }
}

/// `genpctl apply`.
pub fn run(args: &ApplyArgs, format: Format) -> Result<(), Problem> {
    // Before anything is made, so that no signal leaves half of it.
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
    let interrupts = Interrupts::hold(&signals)
        .map_err(|error| Problem::new("cannot wait for signals", error, "Try again."))?;
    let service = Service::of_environment();
    let plan = files::read(&args.files, &pool::info()?)?;
    let mut set = Set::new(Module);
    let change = set.apply(&plan)?;
    format.print(|| document("ready", &change), || text(&change))?;
    service.ready(set.len());
    hold(&mut set, args, &interrupts, &service, format)?;
    service.stopping();
    let change = set.end_all();
    format.print(|| document("stopped", &change), || text(&change))
}

/// A document of an event.
#[cfg(test)]
pub fn sample() -> Value {
    document("ready", &Change::default())
}
