// SPDX-License-Identifier: GPL-2.0

//! Torture tests of GenP. Without arguments it runs as a self-test and prints KTAP.

mod death;
mod lifecycle;
mod threads;
mod tracer;
mod wait;

use std::{process::ExitCode, sync::atomic::Ordering::SeqCst};

use death::Scene;
use harness::{ktap, now, MSEC, SEC};

const USAGE: &str = "usage: genp_torture [deaths SECONDS [COUNT] | waits SECONDS]";

/// The long version of the deaths, with at least `least` of them.
fn deaths(seconds: u64, least: u64) -> Result<String, String> {
    let begin = now();
    let mut scene = Scene::new(begin)?;
    let mut reported = begin;
    let rate = |count: u64| count * SEC / (now() - begin).max(1);
    scene.run(least, begin + seconds * SEC, |deaths| {
        if now() - reported > 2 * SEC {
            reported = now();
            let all = deaths.all();
            println!("progress {all} deaths ({} per second)", rate(all));
        }
    })?;
    let deaths = scene.deaths();
    let line = format!(
        "endurance what=deaths deaths={} stepped={} timed={} threaded={} late={} seconds={}",
        deaths.all(),
        deaths.stepped,
        deaths.timed,
        deaths.threaded,
        scene.late.load(SeqCst),
        (now() - begin) / SEC
    );
    Ok(format!("{}\n{line}", tell(&scene)))
}

fn tell(scene: &Scene) -> String {
    let deaths = scene.deaths();
    format!(
        "{} deaths survived: {} at a tracer's stop, {} at any moment, {} with threads inside calls",
        deaths.all(),
        deaths.stepped,
        deaths.timed,
        deaths.threaded
    )
}

/// The long version of the waits.
fn waits(seconds: u64) -> Result<String, String> {
    let mut scene = wait::Scene::new(now())?;
    scene.run(seconds, |scene| {
        let (below, above) = (&scene.below, &scene.above);
        println!(
            "progress {} waits in {} phases, the longest {} % of its bound",
            below.judged.waits + above.judged.waits,
            below.phases + above.phases,
            percent(below.nearest.max(above.nearest))
        );
    })?;
    let (below, above) = (&scene.below, &scene.above);
    let line = format!(
        "endurance what=waits waits={} leases={} undecided={} interrupted={} phases={} \
         nearest_percent={} derived_r_ns={} absent_ns={} below_percent={} below_r_ns={} above_percent={} above_r_ns={} seconds={}",
        below.judged.waits + above.judged.waits,
        below.judged.granted + above.judged.granted,
        below.judged.undecided + above.judged.undecided,
        below.interrupted + above.interrupted,
        below.phases + above.phases,
        percent(below.nearest.max(above.nearest)),
        scene.derived_ns,
        below.absent_ns,
        percent(below.nearest),
        below.recall_ns,
        percent(above.nearest),
        above.recall_ns,
        seconds,
    );
    Ok(format!("{}\n{line}", tell_waits(&scene)))
}

/// Millionths as a percentage.
fn percent(millionths: u64) -> String {
    format!("{}.{:03}", millionths / 10_000, millionths % 10_000 / 10)
}

fn tell_waits(scene: &wait::Scene) -> String {
    let prio = scene.recall_prio();
    let tell = |name: &str, seen: &wait::Seen| {
        format!(
            "hogs {name} priority {prio}: {} phases, {} leases, {} waits, {} undecided, {} interrupted, \
             the longest {} % of its bound, R up to {}.{:03} ms, derived {}.{:03} ms, away {}.{:03} ms",
            seen.phases,
            seen.judged.granted,
            seen.judged.waits,
            seen.judged.undecided,
            seen.interrupted,
            percent(seen.nearest),
            seen.recall_ns / MSEC,
            seen.recall_ns % MSEC / 1000,
            scene.derived_ns / MSEC,
            scene.derived_ns % MSEC / 1000,
            seen.absent_ns / MSEC,
            seen.absent_ns % MSEC / 1000,
        )
    };
    [tell("below", &scene.below), tell("from", &scene.above)].join("\n")
}

fn self_test() -> ExitCode {
    let death = || {
        let mut scene = Scene::new(1).map_err(ktap::wrong)?;
        scene.run(192, 0, |_| {}).map_err(ktap::wrong)?;
        Ok(tell(&scene))
    };
    let wait = || {
        let mut scene = wait::Scene::new(2).map_err(ktap::wrong)?;
        scene.glance().map_err(ktap::wrong)?;
        let text = tell_waits(&scene);
        if scene.below.judged.waits == 0 {
            return Err(ktap::skip(format!(
                "no borrower came to wait in time\n{text}"
            )));
        }
        Ok(text)
    };
    ktap::run(vec![
        ("nothing_is_left_of_the_dead", Box::new(death)),
        (
            "the_first_one_waits_no_longer_than_the_bound",
            Box::new(wait),
        ),
    ])
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| USAGE.into())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => return self_test(),
        ["deaths", seconds] => number(seconds).and_then(|seconds| deaths(seconds, 10_000)),
        ["deaths", seconds, least] => number(seconds)
            .and_then(|seconds| number(least).and_then(|least| deaths(seconds, least))),
        ["waits", seconds] => number(seconds).and_then(waits),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            println!("FAILED {text}");
            ExitCode::FAILURE
        }
    }
}
