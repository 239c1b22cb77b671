// SPDX-License-Identifier: GPL-2.0

//! The time from the deadline of a lease that its borrower does not return until its
//! waiters have its frames, zeroed and mapped. By pages and by waiters, alone and with
//! a SCHED_FIFO hog on every processor. With the argument `wakeups`: how long other
//! threads are kept from running while a lease runs out. Runs in a guest as root; prints
//! figures.

mod hog;
mod priority;
mod scene;
mod waiter;
mod wakeup;

use std::{fs, process::ExitCode};

use harness::{calls, machine, now, owned, process, SEC};
use priority::CONTROLLER;
use scene::Scene;
use stats::{meter::Machine, Figure, Meter};
use waiter::Result;

const USAGE: &str = "usage: bench_recall [PAGES WAITERS | wakeups]\n\
    both from 1 to 4096 and 1 to 8; without them: pages for one waiter, and waiters";

/// What is measured: pages for each waiter, and the number of waiters.
type Setting = (usize, usize);

const MOST: Setting = (4096, 8);

const SETTINGS: [Setting; 11] = [
    (1, 1),
    (4, 1),
    (16, 1),
    (64, 1),
    (256, 1),
    (1024, 1),
    (4096, 1),
    (1, 8),
    (64, 2),
    (64, 4),
    (64, 8),
];

/// Rounds of a setting: large ones take long, and counts of instructions repeat.
fn rounds(meter: &Meter, (pages, waiters): Setting) -> usize {
    let most = if meter.machine() == Machine::Icount {
        100
    } else {
        400
    };
    (most * 256 / (pages * waiters)).clamp(FEWEST, most)
}

/// Lets real-time threads use all of a processor, see Documentation/tuning.rst: otherwise
/// the kernel delays all of them to let ordinary threads run beside the hogs.
fn give_processors_to_real_time() {
    // A kernel without these settings does not throttle.
    let _ = fs::write("/proc/sys/kernel/sched_rt_runtime_us", "-1");
    for processor in 0..machine::processors() {
        let path = format!("/sys/kernel/debug/sched/fair_server/cpu{processor}/runtime");
        let _ = fs::write(path, "0");
    }
}

const NOTE: &str = "the frames are zeroed by who waited; waiters FIFO 70, genp_recall FIFO 90, \
    hogs FIFO 40; no throttling, no fair server";

fn figure(meter: &Meter, case: &str, state: &str, (pages, waiters): Setting) -> Figure {
    let named = Figure::new(meter, "recall", case, "genp").with("state", state);
    named
        .with("pages", pages)
        .with("waiters", waiters)
        .with("note", NOTE)
}

/// The time limit of a setting: on a busy machine fewer rounds are enough, and while the
/// hogs run the kernel does nothing else.
const PATIENCE: u64 = 40 * SEC;
const FEWEST: usize = 15;

/// The waits of a setting: of each waiter, and of the last one of each
/// round.
#[derive(Default)]
struct Waits {
    each: Vec<u64>,
    last: Vec<u64>,
}

impl Waits {
    fn take(scene: &mut Scene, wanted: usize, setting: Setting) -> Result<Self> {
        let mut waits = Self::default();
        let begin = now();
        // Rounds with a waiter that came too late are dropped; so is the first one.
        for round in 0..2 * wanted {
            let took = scene.round()?;
            if round > 0 && took.len() == setting.1 {
                waits.last.extend(took.iter().copied().max());
                waits.each.extend(took);
            }
            let late = waits.last.len() >= FEWEST && now() - begin > PATIENCE;
            if late || waits.last.len() == wanted {
                return Ok(waits);
            }
        }
        match waits.last.len() {
            few if few < FEWEST => Err(format!("{few} rounds: the waiters come too late")),
            _ => Ok(waits),
        }
    }
}

/// Measures one setting. Work that needs kernel threads with a lower priority than the
/// hogs is done while there are none: set-up, printing, teardown.
fn measure(meter: &Meter, state: &str, setting: Setting) -> Result<()> {
    let mut scene = Scene::set_up(setting.0, setting.1)?;
    let hogs = match state {
        "hogs" => hog::start()?,
        _ => Vec::new(),
    };
    let waits = Waits::take(&mut scene, rounds(meter, setting), setting);
    drop(hogs);
    let waits = waits?;
    figure(meter, "recall", state, setting)
        .distribution(waits.each)
        .print();
    if setting.1 > 1 {
        figure(meter, "recall_last", state, setting)
            .distribution(waits.last)
            .print();
    }
    Ok(())
}

/// Whether the longest recall was within what is derived. Where instructions are the clock
/// nothing but the machine itself can lengthen it; elsewhere a host can, and it is told.
fn compare(meter: &Meter, worst: u64, derived: u64) -> Result<()> {
    if worst <= derived {
        return Ok(());
    }
    let what = format!("a recall took {worst} ns, but R is {derived} ns");
    match meter.machine() {
        Machine::Icount => Err(what),
        _ => {
            println!("not ok {what}; was the host away?");
            Ok(())
        }
    }
}

/// The longest recall of the whole run, with and without hogs, and R beside it.
fn print_bound(meter: &Meter) -> Result<()> {
    let info = owned::control().and_then(|control| calls::info(control.0));
    let info = info.map_err(|errno| format!("GENP_GET_INFO: {}", calls::errno_name(errno)))?;
    Figure::new(meter, "recall", "recall_bound", "genp")
        .with(
            "note",
            "the longest from a deadline to free frames, of the whole run",
        )
        .spread(vec![info.recall_worst_ns])
        .print();
    Figure::new(meter, "recall", "recall_derived", "genp")
        .with(
            "note",
            "R: the longest recall there can be, derived from the tables",
        )
        .spread(vec![info.recall_bound_ns])
        .print();
    compare(meter, info.recall_worst_ns, info.recall_bound_ns)
}

fn settings(words: &[String]) -> Option<Vec<Setting>> {
    if words.is_empty() {
        return Some(SETTINGS.into());
    }
    let [pages, waiters] = words else {
        return None;
    };
    let within = |number: usize, most| (1..=most).contains(&number).then_some(number);
    let pages = within(pages.parse().ok()?, MOST.0)?;
    Some(vec![(pages, within(waiters.parse().ok()?, MOST.1)?)])
}

fn measure_all(meter: &Meter, settings: &[Setting]) -> Result<()> {
    for state in ["idle", "hogs"] {
        for &setting in settings {
            measure(meter, state, setting).map_err(|why| {
                let (pages, waiters) = setting;
                format!("{pages} pages, {waiters} waiters, {state}: {why}")
            })?;
        }
    }
    print_bound(meter)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wakeups = words == ["wakeups"];
    let Some(settings) = settings(if wakeups { &[] } else { &words }) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let meter = Meter::find();
    give_processors_to_real_time();
    let done = process::set_fifo(CONTROLLER)
        .map_err(|errno| format!("SCHED_FIFO: {}", calls::errno_name(errno)))
        .and_then(|()| match wakeups {
            true => wakeup::measure(&meter),
            false => measure_all(&meter, &settings),
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("FAILED {why}");
            ExitCode::FAILURE
        }
    }
}
