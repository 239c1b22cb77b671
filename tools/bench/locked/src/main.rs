// SPDX-License-Identifier: GPL-2.0

//! The longest section of GenP with interrupts off, for each operation, with every table at
//! its maximum: 254 partitions of as many users, 3,810 leases, 254 waiters. Runs in a guest
//! as root, with genp.ko loaded with these maxima; prints figures.

mod scene;
mod sections;

use std::process::ExitCode;

use harness::{abi, calls, owned::Mapped, process::pause, MSEC, PAGE};
use scene::{context, Result, Scene, SHORT};
use sections::Sections;
use stats::{Figure, Meter};

/// How often each operation is done, except those of which there is one in a scene.
const ROUNDS: usize = 12;

/// Measures one operation, and prints its figure. Without commas in `what`, which end a
/// name in scripts/guard.
fn measure(
    meter: &Meter,
    sections: &Sections,
    what: &str,
    rounds: usize,
    mut work: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let mut samples = Vec::new();
    for round in 0..rounds {
        sections.reset()?;
        work(round)?;
        samples.push(sections.longest()?);
    }
    let figure = Figure::new(meter, "quick", "raw-locked section", "genp");
    figure.with("state", what).spread(samples).print();
    Ok(())
}

/// Without waiters: all leases but a few run.
fn without_waiters(meter: &Meter, sections: &Sections, scene: &Scene) -> Result<()> {
    let mut held = Vec::new();
    measure(
        meter,
        sections,
        "borrow among 4000 leases",
        ROUNDS,
        |round| {
            let lease = scene.borrow(round, 1, 0, (round as u64 * 7 % 12 + 1) * 1000 * MSEC)?;
            held.push((round, lease));
            Ok(())
        },
    )?;
    measure(
        meter,
        sections,
        "renew among 4000 leases",
        ROUNDS,
        |round| scene.renew(held[round]),
    )?;
    measure(
        meter,
        sections,
        "return among 4000 leases",
        ROUNDS,
        |_| match held.pop() {
            Some((who, handle)) => context("GENP_RETURN", calls::give_back(scene.fd(who), handle)),
            None => Ok(()),
        },
    )?;
    measure(
        meter,
        sections,
        "expiry of 32 among 4000 leases",
        ROUNDS,
        |round| {
            for lease in 0..32 {
                scene.borrow(round * 4 + lease % 4, 1, 0, SHORT)?;
            }
            pause(20);
            Ok(())
        },
    )
}

/// What a partition does for itself.
fn alone(meter: &Meter, sections: &Sections, scene: &Scene) -> Result<()> {
    measure(
        meter,
        sections,
        "alloc and free of a region",
        ROUNDS,
        |round| {
            let region = context("GENP_ALLOC", calls::alloc(scene.fd(round), 64, 0))?;
            let freed = calls::by_handle(scene.fd(round), abi::GENP_IOCTL_FREE, region.handle);
            context("GENP_FREE", freed)
        },
    )?;
    measure(meter, sections, "statistics", ROUNDS, |round| {
        context("GENP_GET_STAT", calls::stat(scene.fd(round)))?;
        context("GENP_GET_BOUNDS", calls::bounds(scene.fd(round)))?;
        context("GENP_GET_INFO", calls::info(scene.control.0))?;
        scene.histogram(round)
    })?;
    measure(meter, sections, "read and poll", ROUNDS, |round| {
        scene.read(round)
    })
}

/// With 255 waiters.
fn with_waiters(meter: &Meter, sections: &Sections, scene: &mut Scene) -> Result<()> {
    for (what, urgent) in [
        ("time-out of the last of 255 waiters", false),
        ("time-out of the first of 255 waiters", true),
    ] {
        measure(meter, sections, what, ROUNDS, |round| {
            scene.wait_in_vain(round, urgent)
        })?;
    }
    let mut made = Vec::new();
    measure(
        meter,
        sections,
        "create with 254 users and waiters",
        ROUNDS,
        |round| {
            made.clear();
            sections.reset()?;
            made.push(scene.create_as(5000 + round as u32, PAGE, 0)?);
            Ok(())
        },
    )?;
    measure(
        meter,
        sections,
        "close with 254 users and waiters",
        ROUNDS,
        |round| {
            if made.is_empty() {
                made.push(scene.create_as(6000 + round as u32, PAGE, 0)?);
                sections.reset()?;
            }
            made.clear();
            Ok(())
        },
    )?;
    let stock = |scene: &Scene, round: usize| scene.create_as(7000 + round as u32, 0, 32);
    measure(
        meter,
        sections,
        "create and close of a stock with 254 waiters",
        ROUNDS,
        |round| stock(scene, round).map(drop),
    )?;
    measure(
        meter,
        sections,
        "resize with 254 waiters",
        ROUNDS,
        |round| scene.resize(round),
    )?;
    measure(
        meter,
        sections,
        "statistics with 254 waiters",
        ROUNDS,
        |round| context("GENP_GET_STAT", calls::stat(scene.fd(round))).map(drop),
    )?;
    measure(
        meter,
        sections,
        "destroy of 64 leases and requests",
        1,
        |_| scene.destroy_crowded(),
    )?;
    measure(meter, sections, "return that serves all waiters", 1, |_| {
        scene.end_large()
    })
}

fn run() -> Result<()> {
    let meter = Meter::find();
    let sections = Sections::probe()?;
    let mut scene = Scene::set_up()?;
    let window = scene.windows(0).lease_length as usize;
    let offset = scene.windows(0).lease_offset;
    let _window = Mapped::new(window, libc::MAP_SHARED, scene.fd(0), offset)
        .map_err(|errno| format!("mmap: {}", calls::errno_name(errno)))?;
    without_waiters(&meter, &sections, &scene)?;
    alone(&meter, &sections, &scene)?;
    scene.let_all_wait()?;
    with_waiters(&meter, &sections, &mut scene)?;
    scene.let_all_wait_again()?;
    measure(
        &meter,
        &sections,
        "expiry that serves all waiters",
        1,
        |_| scene.await_large_end(),
    )
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("FAILED {why}");
            ExitCode::FAILURE
        }
    }
}
