// SPDX-License-Identifier: GPL-2.0

//! Completion and manual pages, as the program prints them.

use std::{
    env, fs,
    path::PathBuf,
    process::{self, Command, Output},
};

fn genpctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_genpctl"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = genpctl(arguments);
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = stdout(&["--help"]);
    let of_commands = help.split("Commands:\n").nth(1).unwrap();
    let lines = of_commands.lines().take_while(|line| !line.is_empty());
    let first = |line: &str| Some(line.split_whitespace().next()?.to_owned());
    lines
        .filter_map(first)
        .filter(|name| name != "help")
        .collect()
}

/// A directory of this process, which is empty.
fn directory(name: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("genpctl-{name}-{}", process::id()));
    fs::create_dir(&path).unwrap();
    path
}

#[test]
fn each_shell_gets_all_commands() {
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&["completion", shell]);
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        assert!(script.contains("stock-limit"), "{shell}");
    }
    assert_eq!(genpctl(&["completion", "nosh"]).status.code(), Some(2));
}

/// Sources the script as a shell does at its start, and asks what it does for a Tab.
fn completed(words: &[&str]) -> Vec<String> {
    let list = words.join(" ");
    let last = words.len() - 1;
    let ask = format!(
        "eval \"$SCRIPT\"; COMP_WORDS=({list} ''); COMP_CWORD={}; _genpctl genpctl '' {}; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        last + 1,
        words[last],
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &ask])
        .env("SCRIPT", stdout(&["completion", "bash"]))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let found = completed(&["genpctl"]);
    for command in commands() {
        assert!(found.contains(&command), "{command}: {found:?}");
    }
    let found = completed(&["genpctl", "create"]);
    for option in ["--reserve", "--borrow", "--json"] {
        assert!(
            found.iter().any(|word| word == option),
            "{option}: {found:?}"
        );
    }
}

#[test]
fn the_page_has_what_the_help_has() {
    let page = stdout(&["man"]);
    assert!(page.contains(".TH genpctl 1"));
    for command in commands() {
        assert!(
            page.contains(&format!("genpctl\\-{command}(1)")),
            "{command}"
        );
    }
    assert!(page.contains("A SIZE is in bytes"));
}

#[test]
fn each_command_has_a_page() {
    let directory = directory("pages");
    stdout(&["man", "--dir", directory.to_str().unwrap()]);
    for command in commands() {
        let page = fs::read_to_string(directory.join(format!("genpctl-{command}.1")));
        assert!(page.unwrap().contains(".SH SYNOPSIS"), "{command}");
    }
    let create = fs::read_to_string(directory.join("genpctl-create.1")).unwrap();
    assert!(create.contains("\\-\\-stock\\-limit"));
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let output = genpctl(&["man", "--dir", "/nonexistent/man1"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("genpctl: cannot write pages to /nonexistent/man1: "),
        "{told}"
    );
}
