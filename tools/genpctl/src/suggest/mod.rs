// SPDX-License-Identifier: GPL-2.0

//! Makes a plan of recordings: what was needed, and a margin.

mod need;
#[cfg(test)]
mod tests;

use std::{fs, path::Path, process::ExitCode};

use serde_json::{json, Value};

use crate::{
    cli::SuggestArgs,
    output::Format,
    plan,
    problem::Problem,
    record::{Recorded, Recording, VERSION},
    values,
};
use need::{Margin, Need};

const MIB: u64 = 1 << 20;
/// What tables of the pool have if a plan does not say it.
const USUAL: [(&str, u64); 3] = [
    ("max_leases", 1024),
    ("max_waiters", 64),
    ("max_partitions", 64),
];

/// Reads a recording.
fn read(path: &Path) -> Result<Recording, Problem> {
    let what = format!("cannot read the recording {}", path.display());
    let advice = "Give a file that 'genpctl record' wrote.";
    let bad = |found: &dyn ToString| Problem::new(what.as_str(), found.to_string(), advice);
    let text = fs::read_to_string(path).map_err(|error| bad(&error))?;
    parse(&text).map_err(|found| bad(&found))
}

/// The recording in a text, which may be anybody's; or what is wrong with it.
fn parse(text: &str) -> Result<Recording, String> {
    let recording: Recording = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let version = recording.genp_recording;
    if version != VERSION {
        return Err(format!("it is of version {version}, not {VERSION}"));
    }
    // Names go into the plan as they are.
    let mut names = recording.partitions.iter().map(|it| &it.name);
    match names.find(|name| !values::is_name(name)) {
        None => Ok(recording),
        Some(name) => Err(format!("no partition can have the name {name:?}")),
    }
}

/// What is needed of each name, and of the pool.
struct Plan {
    needs: Vec<Need>,
    page: u64,
    max_lease_ms: u64,
    grace_ms: u64,
}

/// The most of each name in all recordings.
fn plan_of(recordings: &[Recording], margin: &Margin) -> Plan {
    let most = |of: fn(&Recording) -> u64| recordings.iter().map(of).max().unwrap_or(0);
    let page = most(|it| it.page_size_bytes.into()).max(1);
    let mut needs: Vec<Need> = Vec::new();
    let all = recordings
        .iter()
        .flat_map(|recording| &recording.partitions);
    for need in all.map(|recorded: &Recorded| Need::of(recorded, page, margin)) {
        match needs.iter_mut().find(|known| known.name == need.name) {
            Some(known) => known.most_of(need),
            None => needs.push(need),
        }
    }
    Plan {
        needs,
        page,
        max_lease_ms: most(|it| it.max_lease_ms),
        grace_ms: most(|it| it.grace_ms),
    }
}

impl Plan {
    fn sum(&self, of: impl Fn(&Need) -> u64) -> u64 {
        self.needs.iter().map(of).fold(0, u64::saturating_add)
    }

    /// A pool in which all of it can be had at the same time.
    fn pool_mib(&self) -> u64 {
        let pages = self.sum(|need| u64::from(need.stock.max(need.stock_limit)));
        let bytes = self.sum(|need| need.reserve.saturating_add(need.borrow));
        let all = bytes.saturating_add(pages.saturating_mul(self.page));
        all.div_ceil(MIB).max(1)
    }

    /// The plan as it is written to a file.
    fn text(&self) -> String {
        let mut text = String::from("# Made by genpctl suggest of what was recorded.\n");
        text.push_str(&format!(
            "page_size = {}\n\n[pool]\npool_mib = {}\nmax_lease_ms = {}\ngrace_ms = {}\n",
            self.page,
            self.pool_mib(),
            self.max_lease_ms,
            self.grace_ms
        ));
        let needed = [
            self.sum(|need| need.max_leases.into()),
            self.sum(|need| need.waiters.into()),
            self.needs.len() as u64,
        ];
        for ((name, usual), needed) in USUAL.iter().zip(needed) {
            if needed > *usual {
                text.push_str(&format!("{name} = {needed}\n"));
            }
        }
        self.needs
            .iter()
            .for_each(|need| text.push_str(&need.text()));
        text
    }

    fn document(&self, text: &str, faults: &[String]) -> Value {
        json!({
            "plan": text,
            "admissible": faults.is_empty(),
            "faults": faults,
            "pool_mib": self.pool_mib(),
            "partitions": self.needs.iter().map(Need::document).collect::<Vec<_>>(),
        })
    }
}

/// A document with a partition.
#[cfg(test)]
pub fn sample() -> Value {
    let recording = Recording {
        partitions: vec![Recorded::default()],
        ..Default::default()
    };
    plan_of(&[recording], &Margin::default()).document("", &[])
}

/// `genpctl suggest`: ends with 1 if the module would not admit the plan.
pub fn run(args: &SuggestArgs, format: Format) -> Result<ExitCode, Problem> {
    let recordings = args.files.iter().map(|path| read(path));
    let recordings = recordings.collect::<Result<Vec<_>, _>>()?;
    let margin = Margin {
        percent: args.margin.into(),
        always: args.always,
    };
    let plan = plan_of(&recordings, &margin);
    let mut text = plan.text();
    let faults = plan::faults(&text)?;
    for fault in &faults {
        text.push_str(&format!("\n# Not admitted: {fault}\n"));
    }
    format.print(|| plan.document(&text, &faults), || text.clone())?;
    match faults.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}
