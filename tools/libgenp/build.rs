// SPDX-License-Identifier: MIT OR Apache-2.0

//! Generates the ABI from its header: structures and constants by bindgen, and the
//! list of commands.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The names of all commands, without `GENP_`, in the order of the header.
fn commands(header: &str) -> Vec<&str> {
    fn command(line: &str) -> Option<&str> {
        let mut words = line.strip_prefix("#define GENP_")?.split_whitespace();
        let name = words.next()?;
        words.next()?.starts_with("_IO").then_some(name)
    }
    header.lines().filter_map(command).collect()
}

/// C constants for the commands: bindgen cannot fold the macros they are made of.
fn constants(commands: &[&str]) -> String {
    let constant =
        |name: &&str| format!("static const unsigned long GENP_IOCTL_{name} = GENP_{name};\n");
    commands.iter().map(constant).collect::<Vec<_>>().concat()
}

/// A table of all commands.
fn table(commands: &[&str]) -> String {
    let entry = |name: &&str| format!("    GENP_IOCTL_{name},\n");
    let entries = commands.iter().map(entry).collect::<Vec<_>>().concat();
    format!(
        "/// All commands.\npub const GENP_COMMANDS: [u64; {}] = [\n{entries}];\n",
        commands.len()
    )
}

fn bindgen(header: &Path, constants: &Path, out: &Path) {
    let status = Command::new("bindgen")
        .arg(constants)
        .args(["--use-core", "--with-derive-default", "--no-layout-tests"])
        .args(["--rust-target", "1.85"])
        .args(["--allowlist-type", "genp_.*", "--allowlist-var", "GENP_.*"])
        .arg("-o")
        .arg(out)
        .args(["--", "-D__BINDGEN__", "-include"])
        .arg(header)
        .status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("bindgen did not read the ABI ({other:?}): is bindgen installed?"),
    }
}

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let header = here.join("../../include/uapi/linux/genp.h");
    println!("cargo:rerun-if-changed={}", header.display());
    let text = fs::read_to_string(&header).expect("the header of the ABI can be read");
    let commands = commands(&text);
    let c = out.join("commands.h");
    fs::write(&c, constants(&commands)).expect("OUT_DIR can be written to");
    fs::write(out.join("commands.rs"), table(&commands)).expect("OUT_DIR can be written to");
    bindgen(&header, &c, &out.join("abi.rs"));
}
