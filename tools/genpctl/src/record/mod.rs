// SPDX-License-Identifier: GPL-2.0

//! Watches a program, or partitions that are there, and writes what they needed to a file.

mod recording;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::{fs::OpenOptionsExt, process::ExitStatusExt},
    path::{self, Path, PathBuf},
    process::{Child, ExitCode, ExitStatus},
    time::{Duration, Instant},
};

use genp::Descriptor;

use crate::{
    cli::{RecordArgs, RunArgs},
    interrupt::{pass_on, Interrupts},
    partitions, pool,
    problem::Problem,
    rights,
    run::{self, Failure},
    stat, values,
};

#[cfg(test)]
pub use recording::Class;
use recording::Watched;
pub use recording::{Heap, Recorded, Recording, VERSION};

/// What ends a recording of partitions. A program gets it, but what its terminal sends it by
/// itself.
const SIGNALS: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

fn unwritten(path: &Path, error: &io::Error) -> Problem {
    let advice = "Say with --output where it can be.";
    Problem::new(format!("cannot write {}", path.display()), error, advice)
}

/// Writes the recording, all of it or none: an older one stays if there is no room.
fn write(path: &Path, recording: &Recording) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(recording).map_err(io::Error::from);
    text.and_then(|text| replace(path, &(text + "\n")))
        .map_err(|error| unwritten(path, &error))
}

/// Writes a file beside the one that is there, and puts it in its place.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one; a pipe or a terminal is written to as it is.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return fs::write(path, text);
    }
    let new = beside(path, "new");
    let mut file = File::create_new(&new)?;
    let written = fs::metadata(path)
        .map_or(Ok(()), |old| file.set_permissions(old.permissions()))
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // If it cannot be removed, there is a file more.
        let _ = fs::remove_file(&new);
    }
    written
}

/// The path of a file of ours beside another one.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}-{}", std::process::id()));
    path.with_file_name(name)
}

/// The name that a plan gives the partition of a program.
fn name_of(args: &RecordArgs) -> String {
    let first = args.command.first().map(Path::new);
    let file = first.and_then(Path::file_name).unwrap_or_default();
    let name = values::name_out_of(&file.to_string_lossy());
    let name = args.name.clone().or(name);
    name.unwrap_or_else(|| "program".to_owned())
}

/// The arguments of `run`: what has no room comes from libc.
fn as_run(args: &RecordArgs) -> RunArgs {
    RunArgs {
        reserve: args.reserve,
        borrow: 0,
        name: args.name.clone(),
        full: "overflow".to_owned(),
        fork: args.fork.clone(),
        exec: "plain".to_owned(),
        report: false,
        library: args.library.clone(),
        command: args.command.clone(),
    }
}

/// The file in which the program tells of its heap, beside that of the recording.
struct Told(PathBuf);

impl Told {
    fn new(output: &Path) -> io::Result<Self> {
        let path = path::absolute(beside(output, "heap"))?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self(path))
    }

    /// What it told: nothing if it ended by a signal.
    fn read(&self) -> Option<Heap> {
        serde_json::from_reader(File::open(&self.0).ok()?).ok()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // If it cannot be removed, it is an empty file more.
        let _ = fs::remove_file(&self.0);
    }
}

/// Looks at the partition of a program until that ends.
fn attend(
    child: &mut Child,
    part: &Descriptor,
    watched: &mut Watched,
    args: &RecordArgs,
) -> io::Result<ExitStatus> {
    let begin = Instant::now();
    let signals = Interrupts::hold(&SIGNALS)?;
    let mut look = || -> io::Result<()> {
        watched.look(begin.elapsed().as_nanos() as u64, &part.stat()?);
        watched.longest(&part.bounds(0, 0)?);
        Ok(())
    };
    loop {
        look()?;
        if let Some(status) = child.try_wait()? {
            look()?;
            return Ok(status);
        }
        match signals.signal_within(Duration::from_nanos(args.interval)) {
            // A terminal has sent them to the program, too.
            Some(libc::SIGINT | libc::SIGQUIT) | None => {}
            Some(signal) => pass_on(signal, child.id()),
        }
    }
}

/// Runs the program and records what it needs.
fn record_program(args: &RecordArgs) -> Result<ExitCode, Failure> {
    let none = |problem| (problem, 125);
    let mut recording = Recording::new(&pool::info().map_err(none)?, args.interval);
    let as_run = as_run(args);
    let (library, part) = run::prepare(&as_run)?;
    let told = Told::new(&args.output).map_err(|error| none(unwritten(&args.output, &error)))?;
    let started = run::command(&as_run, &part, &library)
        .and_then(|mut command| command.env("GENP_STATISTICS", &told.0).spawn());
    let mut child = started.map_err(|error| run::not_started(&as_run, &error))?;
    let words = args
        .command
        .iter()
        .map(|word| word.to_string_lossy().into_owned());
    let mut watched = Watched::new(&name_of(args), words.collect());
    let begin = Instant::now();
    let status = attend(&mut child, &part, &mut watched, args)
        .map_err(|error| none(Problem::asking(&name_of(args), &error)))?;
    recording.duration_ns = begin.elapsed().as_nanos() as u64;
    let mut recorded = watched.end();
    recorded.heap = told.read();
    recording.partitions.push(recorded);
    write(&args.output, &recording).map_err(none)?;
    let code = status.code().unwrap_or(128 + status.signal().unwrap_or(0));
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Partitions that are to be recorded by their names.
fn chosen(args: &RecordArgs) -> Result<Vec<String>, Problem> {
    if !args.all {
        return Ok(args.of.clone());
    }
    let named = partitions::all()?.all.into_iter().map(|part| part.name);
    let names: Vec<_> = named.filter(|name| stat::ask(name).is_ok()).collect();
    match names.is_empty() {
        false => Ok(names),
        true => Err(Problem::new(
            "nothing to record",
            "no partition with a name can be opened",
            "Create one with a name, or record a program: genpctl record -- PROGRAM.",
        )),
    }
}

/// Looks at a partition; it is closed again, so that it can end.
fn look_at(watched: &mut Watched, now_ns: u64) -> io::Result<()> {
    let part = rights::open_to_look(&watched.recorded.name)?;
    watched.look(now_ns, &part.stat()?);
    watched.longest(&part.bounds(0, 0)?);
    Ok(())
}

/// Records partitions that are there.
fn record_partitions(args: &RecordArgs) -> Result<(), Problem> {
    let mut recording = Recording::new(&pool::info()?, args.interval);
    let names = chosen(args)?;
    // A name that is wrong is told at once.
    names
        .iter()
        .try_for_each(|name| stat::ask(name).map(drop))?;
    let new = |name: &String| Watched::new(name, Vec::new());
    let mut there: Vec<Watched> = names.iter().map(new).collect();
    let mut ended = Vec::new();
    let signals = Interrupts::hold(&SIGNALS)
        .map_err(|error| Problem::new("cannot wait for signals", error, "Try again."))?;
    let begin = Instant::now();
    let last = args.duration.map(Duration::from_nanos);
    while !there.is_empty() {
        let now_ns = begin.elapsed().as_nanos() as u64;
        let (open, gone): (Vec<_>, Vec<_>) = there
            .into_iter()
            .map(|mut watched| (look_at(&mut watched, now_ns).is_ok(), watched))
            .partition(|(is_there, _)| *is_there);
        there = open.into_iter().map(|(_, watched)| watched).collect();
        ended.extend(gone.into_iter().map(|(_, watched)| watched));
        let over = last.is_some_and(|last| begin.elapsed() >= last);
        if over || signals.within(Duration::from_nanos(args.interval)) {
            break;
        }
    }
    recording.duration_ns = begin.elapsed().as_nanos() as u64;
    let all = ended.into_iter().chain(there);
    recording.partitions = all.map(Watched::end).collect();
    write(&args.output, &recording)
}

/// A recording with something in each list.
#[cfg(test)]
pub fn sample() -> serde_json::Value {
    let heap = Heap {
        classes: vec![Class::default()],
        ..Default::default()
    };
    let recording = Recording {
        partitions: vec![Recorded {
            heap: Some(heap),
            ..Default::default()
        }],
        ..Default::default()
    };
    serde_json::to_value(recording).unwrap_or_default()
}

/// `genpctl record`.
pub fn run(args: &RecordArgs) -> ExitCode {
    let done = match args.command.is_empty() {
        false => record_program(args),
        true => record_partitions(args)
            .map(|()| ExitCode::SUCCESS)
            .map_err(|problem| (problem, 1)),
    };
    let told = |status| {
        // Whoever does not read this knows where it is.
        let _ = writeln!(
            io::stderr(),
            "genpctl: recorded to {0}; see genpctl suggest {0}",
            args.output.display()
        );
        status
    };
    done.map_or_else(run::fail, told)
}
