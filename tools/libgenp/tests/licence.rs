// SPDX-License-Identifier: MIT OR Apache-2.0

//! libgenp can be linked by programs under any licence: see `COPYING`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The licence of libgenp.
const LINE: &str = "SPDX-License-Identifier: MIT OR Apache-2.0";

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_file_says_its_licence() {
    let files = files_below(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(files.len() > 10, "the folder was not read");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let first = text.lines().next().unwrap_or("");
        assert!(first.contains(LINE), "{}: {first:?}", file.display());
    }
}

/// All crates of the workspace but libgenp are under the GPL.
#[test]
fn no_crate_of_the_workspace_is_needed() {
    let manifest = include_str!("../Cargo.toml");
    assert!(!manifest.contains("path = \"../"), "{manifest}");
}
