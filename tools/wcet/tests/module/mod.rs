// SPDX-License-Identifier: GPL-2.0

//! A module of assembly with its settings, in a directory of its own.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub struct Module {
    directory: PathBuf,
    assembly: String,
    source: String,
    commands: String,
    settings: String,
    row: String,
    entries: String,
    counted: Option<u64>,
    has_page: Cell<bool>,
}

pub struct Outcome {
    pub good: bool,
    pub text: String,
}

impl Module {
    pub fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("genp")).unwrap();
        fs::create_dir_all(directory.join("include/uapi")).unwrap();
        Self {
            directory,
            assembly: String::new(),
            source: String::new(),
            commands: String::new(),
            settings: String::new(),
            row: String::new(),
            entries: String::new(),
            counted: None,
            has_page: Cell::new(false),
        }
    }

    pub fn function(mut self, name: &str, code: &str) -> Self {
        self.assembly += &format!(".type {name}, @function\n{name}:\n{code}\n");
        self
    }

    pub fn exported(mut self, name: &str) -> Self {
        self.assembly += &format!(".section __ksymtab, \"a\"\n__ksymtab_{name}: .long 0\n.text\n");
        self
    }

    pub fn source(mut self, text: &str) -> Self {
        self.source = text.to_owned();
        self
    }

    /// The header with the commands of ioctl().
    pub fn commands(mut self, text: &str) -> Self {
        self.commands = text.to_owned();
        self
    }

    pub fn settings(mut self, text: &str) -> Self {
        self.settings = text.to_owned();
        self
    }

    /// More of the row of f().
    pub fn row(mut self, text: &str) -> Self {
        self.row += text;
        self
    }

    /// More entries.
    pub fn more(mut self, text: &str) -> Self {
        self.entries += text;
        self
    }

    pub fn counted(mut self, count: u64) -> Self {
        self.counted = Some(count);
        self
    }

    pub fn page(&self, block: &str) -> PathBuf {
        let path = self.directory.join("page.rst");
        let text = format!(
            "Title\n\n.. What follows is written by genp-wcet.\n{block}\n.. What genp-wcet writes ends here.\n"
        );
        fs::write(&path, text).unwrap();
        self.has_page.set(true);
        path
    }

    fn write(&self) {
        let write = |name: &str, text: &str| fs::write(self.directory.join(name), text).unwrap();
        write("genp/loops.rs", &self.source);
        write("module.s", &format!(".text\n{}", self.assembly));
        write("include/uapi/f.h", &self.commands);
        write("callees.toml", &self.settings);
        let counts = self.counted.map_or("", |_| "counts = [\"f\"]\n");
        let row = format!(
            "[[row]]\nwhat = \"f\"\ncalls = [\"f\"]\n{counts}{}",
            self.row
        );
        write("entries.toml", &format!("{row}{}", self.entries));
        let counts = self.counted.map(|count| format!("\"f\": [1, {count}]"));
        write(
            "counts.json",
            &format!("{{\"k\": {{{}}}}}", counts.unwrap_or_default()),
        );
        let mut gcc = Command::new("gcc");
        let gcc = gcc.current_dir(&self.directory);
        let built = gcc
            .args(["-g", "-c", "module.s", "-o", "module.ko"])
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        self.write();
        let mut program = Command::new(env!("CARGO_BIN_EXE_genp-wcet"));
        program.current_dir(&self.directory);
        program.args([
            command,
            "--module",
            "module.ko",
            "--settings",
            ".",
            "--counts",
            "counts.json",
        ]);
        program.args(arguments).output().unwrap()
    }

    pub fn check(&self) -> Outcome {
        let page: &[&str] = if self.has_page.get() {
            &["--page", "page.rst"]
        } else {
            &[]
        };
        let out = self.run("check", page);
        let text = [out.stdout, out.stderr].concat();
        Outcome {
            good: out.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    /// That f() has this bound, and nothing is wrong.
    pub fn bound(self, instructions: u64) {
        let out = self.check();
        let line = format!("ok f: at most {instructions}, ");
        assert!(out.good && out.text.contains(&line), "{}", out.text);
    }

    /// That it is refused, for this reason.
    pub fn refused(self, why: &str) {
        let out = self.check();
        assert!(!out.good && out.text.contains(why), "{}", out.text);
    }

    /// Writes the tables into the page.
    pub fn write_page(&self) -> bool {
        self.run("page", &["page.rst"]).status.success()
    }
}
