// SPDX-License-Identifier: GPL-2.0

//! Generates the ABI as programs have it.

use std::{env, path::PathBuf, process::Command};

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let header = here.join("../../../../include/uapi/linux/genp.h");
    println!("cargo:rerun-if-changed={}", header.display());
    let status = Command::new("bindgen")
        .arg(&header)
        .args(["--use-core", "--with-derive-default", "--no-layout-tests"])
        .args(["--rust-target", "1.85", "--no-doc-comments"])
        .args(["--allowlist-type", "genp_.*", "--allowlist-var", "GENP_.*"])
        .arg("-o")
        .arg(out.join("abi.rs"))
        .args(["--", "-D__BINDGEN__"])
        .status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("bindgen did not read the ABI ({other:?}): is bindgen installed?"),
    }
}
