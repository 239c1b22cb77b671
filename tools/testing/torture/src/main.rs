// SPDX-License-Identifier: GPL-2.0

//! Tortures GenP. Without arguments it is a self-test and speaks KTAP.

mod crowd;
mod death;
mod life;
mod tracer;

use std::process::ExitCode;

use death::Scene;
use rig::{ktap, now, SEC};

const USAGE: &str = "usage: genp_torture [deaths SECONDS]";

/// The long version of the deaths.
fn deaths(seconds: u64) -> Result<String, String> {
    let begin = now();
    let mut scene = Scene::new(begin)?;
    let mut told = begin;
    let rate = |count: u64| count * SEC / (now() - begin).max(1);
    scene.run(10_000, begin + seconds * SEC, |deaths| {
        if now() - told > 2 * SEC {
            told = now();
            let all = deaths.all();
            println!("progress {all} deaths ({} per second)", rate(all));
        }
    })?;
    Ok(tell(&scene))
}

fn tell(scene: &Scene) -> String {
    let deaths = &scene.deaths;
    format!(
        "{} deaths survived: {} at a tracer's stop, {} at any moment, {} with threads inside calls",
        deaths.all(),
        deaths.stepped,
        deaths.timed,
        deaths.crowds
    )
}

fn self_test() -> ExitCode {
    let death = || {
        let mut scene = Scene::new(1).map_err(ktap::wrong)?;
        scene.run(192, 0, |_| {}).map_err(ktap::wrong)?;
        Ok(tell(&scene))
    };
    ktap::run(vec![("nothing_is_left_of_the_dead", Box::new(death))])
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => return self_test(),
        ["deaths", seconds] => seconds
            .parse()
            .map_err(|_| USAGE.to_string())
            .and_then(deaths),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            println!("FAILED {text}");
            ExitCode::FAILURE
        }
    }
}
