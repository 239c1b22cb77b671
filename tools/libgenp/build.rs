// SPDX-License-Identifier: MIT OR Apache-2.0

//! Takes the ABI from its one header.

use std::{env, path::PathBuf, process::Command};

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("abi.rs");
    let include = here.join("../../include/uapi");
    println!("cargo:rerun-if-changed=abi.h");
    println!(
        "cargo:rerun-if-changed={}",
        include.join("linux/genp.h").display()
    );
    let status = Command::new("bindgen")
        .arg(here.join("abi.h"))
        .args(["--use-core", "--with-derive-default", "--no-layout-tests"])
        .args(["--rust-target", "1.85"])
        .args(["--allowlist-type", "genp_.*", "--allowlist-var", "GENP_.*"])
        .arg("-o")
        .arg(&out)
        .args(["--", "-D__BINDGEN__", "-include"])
        .arg(include.join("linux/genp.h"))
        .status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("bindgen did not read the ABI ({other:?}): is bindgen installed?"),
    }
}
