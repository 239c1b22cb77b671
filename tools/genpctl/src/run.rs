// SPDX-License-Identifier: GPL-2.0

//! Running an unchanged program with its malloc in a partition.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::{fs::MetadataExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use genp::Descriptor;

use crate::{
    cli::{CreateArgs, RunArgs},
    create, pool,
    problem::Problem,
    size::show,
};

const LIBRARY: &str = "libgenp-preload.so";

/// The library, at a path that is valid in any folder.
fn library(args: &RunArgs) -> Result<PathBuf, Problem> {
    let beside = |sub: &str| Some(env::current_exe().ok()?.parent()?.join(sub).join(LIBRARY));
    // Where Debian has libraries.
    let multiarch = format!("../lib/{}-linux-gnu", env::consts::ARCH);
    let places = match &args.library {
        Some(file) => vec![file.clone()],
        None => ["", "../lib", "../lib/genp", &multiarch]
            .iter()
            .filter_map(|sub| beside(sub))
            .chain(["/usr/local/lib", "/usr/lib"].map(|folder| Path::new(folder).join(LIBRARY)))
            .collect(),
    };
    let found = places.iter().find_map(|place| place.canonicalize().ok());
    found.ok_or_else(|| {
        let looked: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
        let advice = "Build it (cargo build --release --package genp-preload), or say with --library where it is.";
        Problem::new(
            "there is no libgenp-preload.so",
            format!("looked for {}", looked.join(", ")),
            advice,
        )
    })
}

/// The file of a program, as execvp() finds it.
fn find(program: &OsStr) -> Option<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') {
        return Some(program.into());
    }
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Whether a file is a program of 64 bits that no dynamic linker loads.
fn is_static(file: &mut File) -> io::Result<bool> {
    const INTERPRETER: u32 = 3;

    let mut header = [0; 64];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"\x7fELF\x02") {
        return Ok(false);
    }
    let half = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let mut word = [0; 8];
    word.copy_from_slice(&header[32..40]);
    for number in 0..half(56) {
        let at = u64::from_le_bytes(word).saturating_add(number * half(54));
        let mut kind = [0; 4];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut kind)?;
        if u32::from_le_bytes(kind) == INTERPRETER {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Why a program would run without the library, if it would.
fn unfit(program: &OsStr) -> Option<&'static str> {
    const SET_ID: u32 = 0o6000;

    let path = find(program)?;
    let mut file = File::open(path).ok()?;
    if file
        .metadata()
        .is_ok_and(|about| about.mode() & SET_ID != 0)
    {
        return Some("it is set-user-ID or set-group-ID");
    }
    is_static(&mut file)
        .unwrap_or(false)
        .then_some("it is statically linked")
}

/// LD_PRELOAD with the library before all others.
fn preload(library: &Path) -> OsString {
    let mut all = OsString::from(library);
    if let Some(others) = env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        all.push(":");
        all.push(others);
    }
    all
}

/// The partition for the program.
fn partition(args: &RunArgs) -> Result<Descriptor, Problem> {
    let attributes = CreateArgs {
        name: args.name.clone(),
        reserve: args.reserve,
        borrow: args.borrow,
        ..CreateArgs::default()
    };
    let request = create::request(&attributes, &pool::info()?)?;
    let name = args.name.as_deref().unwrap_or("");
    Descriptor::create(request).map_err(|error| create::refused(&request, name, error))
}

/// The program with the library and its partition in the environment.
pub fn command(args: &RunArgs, part: &Descriptor, library: &Path) -> io::Result<Command> {
    part.inherit()?;
    let [program, rest @ ..] = args.command.as_slice() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut command = Command::new(program);
    command
        .args(rest)
        .env("LD_PRELOAD", preload(library))
        .env("GENP_FD", part.as_fd().as_raw_fd().to_string())
        .env("GENP_RESERVE", args.reserve.to_string())
        .env("GENP_BORROW", args.borrow.to_string())
        .env("GENP_FULL", &args.full)
        .env("GENP_FORK", &args.fork)
        .env("GENP_EXEC", &args.exec)
        .env("GENP_REPORT", if args.report { "1" } else { "0" });
    Ok(command)
}

/// A problem and the status that says of what kind it is.
pub type Failure = (Problem, u8);

fn what(args: &RunArgs) -> String {
    let program = args.command.first();
    let program = program.map(OsString::as_os_str).unwrap_or_default();
    format!("cannot run {}", program.to_string_lossy())
}

/// The problem if the program could not be started.
pub fn not_started(args: &RunArgs, error: &io::Error) -> Failure {
    let status = match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    };
    let advice = "See whether it is there and may be executed; the partition is gone again.";
    (Problem::new(what(args), error, advice), status)
}

/// The library and the partition for a program.
pub fn prepare(args: &RunArgs) -> Result<(PathBuf, Descriptor), Failure> {
    let none = |problem| (problem, 125);
    let program = args.command.first();
    if let Some(why) = unfit(program.map(OsString::as_os_str).unwrap_or_default()) {
        let advice =
            "The dynamic linker would not load the library: run a program that is neither.";
        return Err((Problem::new(what(args), why, advice), 126));
    }
    if args.reserve == 0 {
        let advice = "Give a --reserve of what the program needs, as in 64M.";
        let found = format!("a heap of {}", show(0));
        return Err(none(Problem::new(what(args), found, advice)));
    }
    library(args)
        .and_then(|library| Ok((library, partition(args)?)))
        .map_err(none)
}

fn try_run(args: &RunArgs) -> Failure {
    let (library, part) = match prepare(args) {
        Ok(ready) => ready,
        Err(failure) => return failure,
    };
    let error = match command(args, &part, &library) {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    };
    not_started(args, &error)
}

/// Says why a program is not run, with the status of that.
pub fn fail((problem, status): Failure) -> ExitCode {
    // If stderr is closed, the status is all there is.
    let _ = writeln!(io::stderr(), "genpctl: {problem}");
    ExitCode::from(status)
}

/// `genpctl run`: returns if it failed.
pub fn run(args: &RunArgs) -> ExitCode {
    fail(try_run(args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_without_a_dynamic_linker_are_told_from_others() {
        let sh = find(OsStr::new("sh")).unwrap();
        assert!(!is_static(&mut File::open(sh).unwrap()).unwrap());
        assert_eq!(unfit(OsStr::new("sh")), None);
        // A script, or nothing at all, is none.
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(!is_static(&mut File::open(here).unwrap()).unwrap());
        assert_eq!(unfit(OsStr::new("/nowhere")), None);
    }

    #[test]
    fn a_program_of_64_bits_without_segments_is_static() {
        let file = env::temp_dir().join(format!("genpctl-static-{}", std::process::id()));
        let mut header = [0; 64];
        header[..5].copy_from_slice(b"\x7fELF\x02");
        std::fs::write(&file, header).unwrap();
        let found = unfit(file.as_os_str());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(found, Some("it is statically linked"));
    }
}
