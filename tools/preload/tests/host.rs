// SPDX-License-Identifier: MIT OR Apache-2.0

//! Programs that know nothing of GenP, with the C library's malloc and then with this one.
//! Their /dev/genp is `tests/fake.c`, so that no kernel module is needed; the self-test
//! `preload` runs them in a guest with one.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// What is built for the tests, and the library.
struct Built {
    library: PathBuf,
    fake: PathBuf,
    cases: PathBuf,
    new: PathBuf,
}

/// Compiles into a file beside the others.
fn compile(compiler: &str, name: &str, arguments: &[&str]) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("genp-preload-{}-{name}", std::process::id()));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(compiler)
        .current_dir(here.join("tests"))
        .args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(arguments)
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    out
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        // cargo has just built it, beside this program.
        let folder = env::current_exe().unwrap();
        let library = folder.parent().unwrap().join("libgenp_preload.so");
        assert!(library.exists(), "no {}", library.display());
        let shared = ["-shared", "-fPIC"];
        let uapi = "../../../include/uapi";
        let header = format!("{uapi}/linux/genp.h");
        let fake = [
            &shared[..],
            &["fake.c", "-idirafter", uapi, "-include", &header],
        ]
        .concat();
        let ifunc = compile("cc", "ifunc.so", &[&shared[..], &["ifunc.c"]].concat());
        let ifunc = ifunc.to_str().unwrap();
        let sources = ["main", "sizes", "alignment", "children", "moments", "steps"];
        let sources = sources.map(|name| format!("cases/{name}.c"));
        let mut cases: Vec<_> = sources.iter().map(String::as_str).collect();
        cases.extend([ifunc, "-ldl"]);
        Built {
            library,
            fake: compile("cc", "fake.so", &fake),
            cases: compile("cc", "cases", &cases),
            new: compile("c++", "new", &["-std=c++17", "new.cc"]),
        }
    })
}

/// A program with this malloc and 32 MiB, which says at the end what happened.
fn preloaded(program: &Path) -> Command {
    let mut command = Command::new(program);
    let built = built();
    let libraries = format!("{}:{}", built.fake.display(), built.library.display());
    command
        .env("LD_PRELOAD", libraries)
        .env("GENP_RESERVE", "32M")
        .env("GENP_REPORT", "1");
    command
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs it to a good end and returns what it said.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// Runs a program which is found by its name: None if it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    let found = env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.exists())?;
    Some(preloaded(&found).args(arguments).output().unwrap())
}

/// A case with the C library's malloc, then with this one by each policy that it is for.
fn case(name: &str, policies: &[&str]) {
    succeed(Command::new(&built().cases).arg(name));
    for policy in policies {
        let said = succeed(
            preloaded(&built().cases)
                .arg(name)
                .env("GENP_FORK", policy)
                .env("GENP_CASE_HANDLERS", "1"),
        );
        // It ran in the reserve, unless it closed its stderr.
        let here = name == "descriptors_are_the_programs" || said.contains("33554432 bytes");
        assert!(here, "{said}");
    }
}

macro_rules! cases {
    ($policies:expr; $($name:ident)*) => {
        $(#[test]
        fn $name() {
            case(stringify!($name), $policies);
        })*
    };
}

cases! { &["copy"];
    no_bytes_are_a_block
    more_than_there_is_is_enomem
    what_is_usable_is_stable_and_writable
    calloc_gives_zeroes
    realloc_keeps_what_was_there
    errno_is_left_alone
    it_says_what_is_in_use
    blocks_are_aligned_to_16
    alignments_are_kept
    bad_alignments_are_einval
    odd_alignments_of_memalign_do_no_harm
    pages_are_pages
    handlers_allocate
    destructors_of_threads_allocate
    others_free_what_a_thread_allocates
    three_hundred_threads_have_blocks
    it_never_shuts_down
    the_c_librarys_names_are_the_same_heap
    blocks_of_others_are_theirs
    resolvers_of_ifuncs_allocate
    a_pair_of_calls_is_short
}

cases! { &["copy", "libc"];
    a_child_has_what_its_parent_had
    grandchildren_do_as_well
    a_parent_changes_nothing_for_its_child
    nothing_lands_where_the_heap_is
    many_children_live_at_once
    threads_go_on_while_one_forks
    handlers_of_fork_allocate
    threads_fork_at_once
    descriptors_are_the_programs
    handlers_of_segv_are_left_alone
}

cases! { &["copy", "libc", "abort"];
    spawned_programs_run
}

/// The list above and that of the program are the same.
#[test]
fn all_cases_run() {
    let source = include_str!("host.rs");
    for name in succeed(&mut Command::new(&built().cases)).lines().skip(1) {
        let listed = source.lines().any(|line| line.trim() == name);
        assert!(listed || ["", "free_twice"].contains(&name), "{name}");
    }
}

#[test]
fn cpp_has_its_alignment_and_its_exceptions() {
    succeed(&mut Command::new(&built().new));
    succeed(&mut preloaded(&built().new));
}

#[test]
fn a_full_reserve_is_refused_or_counted() {
    let fill = |policy: &str| {
        let script = "my @kept; push @kept, 'x' x 1000000 for 1..20; print scalar @kept";
        let mut command = preloaded(Path::new("/usr/bin/perl"));
        command.args(["-e", script]).env("GENP_FULL", policy);
        command.env("GENP_RESERVE", "8M").output().unwrap()
    };
    let refused = fill("fail");
    let text = said(&refused);
    assert!(
        !refused.status.success() && text.contains("Out of memory"),
        "{text}"
    );
    let text = said(&fill("overflow"));
    assert!(
        text.contains("\n20") && text.contains(" 0 requests refused"),
        "{text}"
    );
    assert!(!text.contains(" 0 served by libc"), "{text}");
}

#[test]
fn a_child_that_may_not_be_is_aborted() {
    let script = "my $p = fork; exit 0 if defined $p && !$p; wait; print $? & 127";
    let output = run("perl", &["-e", script]).unwrap();
    assert!(said(&output).contains("\n0"), "{}", said(&output));
    let mut command = preloaded(Path::new("/usr/bin/perl"));
    command.args(["-e", script]);
    let text = succeed(command.env("GENP_FORK", "abort"));
    assert!(
        text.contains("\n6") && text.contains("may not fork"),
        "{text}"
    );
}

/// What a program executes has GenP only if that was asked for.
#[test]
fn executed_programs_are_plain_or_have_their_own() {
    let script = "echo ${GENP_RESERVE-none} ${LD_PRELOAD-none}";
    let run = |exec: &str| {
        let mut command = preloaded(Path::new("/bin/bash"));
        command.args(["-c", &format!("/bin/bash -c '{script}'; {script}; :")]);
        succeed(command.env("GENP_EXEC", exec))
    };
    let plain = run("plain");
    let lines: Vec<_> = plain.lines().collect();
    // The stand-in for the device is a library of its own, and stays.
    assert!(
        lines[1].starts_with("none /") && !lines[1].contains("preload.so"),
        "{plain}"
    );
    assert_eq!(lines[1], lines[2]);
    assert_eq!(plain.matches("bytes of reserve").count(), 1, "{plain}");
    let same = run("same");
    assert!(same.contains("\n32M /"), "{same}");
    assert_eq!(same.matches("bytes of reserve").count(), 2, "{same}");
}

#[test]
fn without_a_partition_a_program_does_not_run() {
    let run = |name: &str, value: &str| {
        let mut command = Command::new("/bin/true");
        command.env("LD_PRELOAD", &built().library).env(name, value);
        command.output().unwrap()
    };
    // There is a descriptor 1, of no partition.
    for (name, value) in [
        ("GENP_FD", "1"),
        ("GENP_RESERVE", "1X"),
        ("GENP_FULL", "maybe"),
    ] {
        let output = run(name, value);
        assert_eq!(output.status.code(), Some(125), "{name}: {}", said(&output));
    }
    assert!(run("GENP_FORK", "copy").status.success());
}

/// As with the C library.
#[test]
fn what_is_freed_twice_ends_the_program() {
    for mut command in [Command::new(&built().cases), preloaded(&built().cases)] {
        use std::os::unix::process::ExitStatusExt;

        let output = command.arg("free_twice").output().unwrap();
        assert_eq!(output.status.signal(), Some(6), "{}", said(&output));
    }
}

#[test]
fn shells_and_their_children_run() {
    let script = "x=; for i in {1..100}; do x=$x$(echo $(echo $i | cat)); done; echo ${#x}";
    let text = said(&run("bash", &["-c", script]).unwrap());
    assert!(
        text.contains("\n192\n") && text.contains("33554432 bytes"),
        "{text}"
    );
}

#[test]
fn databases_run() {
    let script = "create table t(a, b);
        with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
        insert into t select x, hex(randomblob(20)) from c;
        create index i on t(b); delete from t where a % 2; vacuum; select count(*) from t;";
    // Not in every build root.
    if let Some(output) = run("sqlite3", &[":memory:", script]) {
        assert!(said(&output).contains("\n10000\n"), "{}", said(&output));
    }
}

/// Nothing is counted for a file without a name, and nothing else is chosen by one.
#[test]
fn an_empty_variable_is_as_good_as_none() {
    let instructions = |empty: &[&str]| {
        let mut command = preloaded(&built().cases);
        command.arg("a_pair_of_calls_is_short");
        let text = succeed(command.envs(empty.iter().map(|name| (name, ""))));
        assert_eq!(
            text.contains("33554432 bytes"),
            !empty.contains(&"GENP_REPORT")
        );
        let line = text.lines().find(|line| line.starts_with("instructions: "));
        line.unwrap().to_owned()
    };
    let none = instructions(&[]);
    assert_eq!(instructions(&["GENP_STATISTICS"]), none);
    let others = [
        "GENP_FD",
        "GENP_BORROW",
        "GENP_FULL",
        "GENP_FORK",
        "GENP_EXEC",
        "GENP_REPORT",
    ];
    assert_eq!(instructions(&others), none);
}

/// A program ends although nobody reads from the pipe that it is to tell of its heap.
#[test]
fn nobody_is_waited_for_at_the_end() {
    let pipe = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pipe-{}", std::process::id()));
    succeed(Command::new("mkfifo").arg(&pipe));
    let mut command = preloaded(Path::new("/usr/bin/perl"));
    // Who waits is ended by the alarm.
    command
        .args(["-e", "alarm 60"])
        .env("GENP_STATISTICS", &pipe);
    let output = command.output().unwrap();
    std::fs::remove_file(&pipe).unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("statistics cannot be written"), "{text}");
}

/// What a program asked for is told by size, whatever of it the reserve had room for.
#[test]
fn what_was_asked_for_is_told_at_the_end() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("told-{}", std::process::id()));
    let told = |reserve: &str| {
        let script = "my @kept; push @kept, 'x' x 1000000 for 1..5; splice @kept; fork";
        let mut command = preloaded(Path::new("/usr/bin/perl"));
        command.args(["-e", script]).env("GENP_STATISTICS", &file);
        command
            .env("GENP_RESERVE", reserve)
            .env("GENP_FULL", "overflow");
        succeed(&mut command);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let number = |key: &str| {
            let at = text.find(&format!("\"{key}\":")).unwrap() + key.len() + 3;
            let digits = text[at..].chars().take_while(char::is_ascii_digit);
            digits.collect::<String>().parse::<u64>().unwrap()
        };
        let numbers = ["needed_peak_bytes", "taken_peak_bytes", "overflowed"].map(number);
        (numbers, number("largest_request_bytes"), text)
    };
    let ([needed, taken, overflowed], largest, text) = told("32M");
    assert!((5_000_000..8_000_000).contains(&needed), "{text}");
    // Caches have the rest.
    assert!(taken + 4096 >= needed && overflowed == 0, "{text}");
    assert!((1_000_000..1_100_000).contains(&largest), "{text}");
    assert!(
        text.contains("{\"up_to_bytes\":1048576,\"requests\":"),
        "{text}"
    );
    let ([small, taken, overflowed], ..) = told("3M");
    assert!(overflowed > 0 && taken < 3 << 20, "{text}");
    // The C library rounds in another way.
    assert!(small.abs_diff(needed) < needed / 20, "{small} {needed}");
}
