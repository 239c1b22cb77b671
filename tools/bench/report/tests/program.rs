// SPDX-License-Identifier: GPL-2.0

//! The program as a whole, with a small results file that was made up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/small.json")
}

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_genp-bench");
    Command::new(program).args(arguments).output().unwrap()
}

/// An empty directory that is this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn page_of(results: &Path, out: &Path) -> String {
    let done = run(&[
        "page",
        results.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    fs::read_to_string(out.join("index.rst")).unwrap()
}

fn pictures(out: &Path) -> Vec<String> {
    let entries = fs::read_dir(out).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".svg")).collect()
}

#[test]
fn a_page_has_what_was_measured() {
    let out = directory("page");
    let page = page_of(&data(), &out);
    // Whatever the columns of the tables are aligned to.
    let words: Vec<&str> = page.split_whitespace().collect();
    let page = words.join(" ");
    for text in [
        "made up, to test genp-bench",
        "Targets of the data sheet",
        "In the kernel",
        "In user space",
        "Borrowing",
        "Recall",
        "Footprint and loading",
        "dma-heap. /dev/dma_heap/system: ENOENT",
        // Pages from 1 MiB to 1 GiB, worst case 198 of 200.
        "198 instructions reached",
        // 600 of 450.
        "600 instructions missed by 33 %",
        // The line that was put in.
        "8,000 180",
    ] {
        assert!(page.contains(text), "no {text:?} in\n{page}");
    }
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn every_picture_is_on_the_page_small_and_whole() {
    let out = directory("pictures");
    let page = page_of(&data(), &out);
    let pictures = pictures(&out);
    assert_eq!(page.matches(".. image::").count(), pictures.len());
    for kind in [
        "worst",
        "page-fill",
        "page-pool",
        "page-latency",
        "heap-worst",
        "heap-latency",
        "borrow-pages",
        "recall",
    ] {
        assert!(
            pictures.iter().any(|name| name.starts_with(kind)),
            "no {kind} in {pictures:?}"
        );
    }
    for name in &pictures {
        assert!(page.contains(&format!(".. image:: {name}\n")), "{name}");
        let text = fs::read_to_string(out.join(name)).unwrap();
        assert!(text.len() < 60_000, "{name} has {} bytes", text.len());
        assert!(
            text.contains("fill=\"#ffffff\"") && text.ends_with("</svg>\n"),
            "{name}"
        );
        assert!(!text.contains("NaN") && !text.contains("inf"), "{name}");
    }
}

#[test]
fn pictures_of_an_older_page_go() {
    let out = directory("older");
    fs::write(out.join("old.svg"), "").unwrap();
    fs::write(out.join("notes.rst"), "").unwrap();
    page_of(&data(), &out);
    assert!(!out.join("old.svg").exists() && out.join("notes.rst").exists());
}

#[test]
fn what_a_run_does_not_have_is_left_out() {
    let out = directory("nothing");
    let results = out.join("results.json");
    fs::write(&results, r#"{"when": "never", "results": []}"#).unwrap();
    let page = page_of(&results, &out);
    assert!(page.contains("never") && !page.contains("Targets") && !page.contains("image"));
    assert!(pictures(&out).is_empty());
}

#[test]
fn a_run_compared_with_itself_has_not_grown() {
    let data = data();
    let data = data.to_str().unwrap();
    let same = run(&["compare", data, data]);
    assert_eq!(same.status.code(), Some(0));
    let text = String::from_utf8(same.stdout).unwrap();
    assert!(
        text.starts_with("0 grew by more than 3 %, 0 shrank by more"),
        "{text}"
    );
}

#[test]
fn growth_ends_with_1_and_a_bad_file_with_2() {
    let out = directory("compare");
    let old = fs::read_to_string(data()).unwrap();
    let new = out.join("new.json");
    fs::write(&new, old.replace("\"median\":190", "\"median\":196")).unwrap();
    let files = [data().display().to_string(), new.display().to_string()];
    let compare = |more: &[&str]| {
        let first = ["compare", &files[0], &files[1]];
        run(&[first.as_slice(), more].concat())
    };
    let grew = compare(&[]);
    assert_eq!(grew.status.code(), Some(1));
    assert!(String::from_utf8(grew.stdout)
        .unwrap()
        .contains("190 -> 196"));
    assert_eq!(compare(&["--threshold", "4"]).status.code(), Some(0));
    assert_eq!(compare(&["--of", "max"]).status.code(), Some(0));
    assert_eq!(compare(&["--unit", "ns"]).status.code(), Some(0));
    fs::write(&new, "no json").unwrap();
    let bad = compare(&[]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8(bad.stderr).unwrap().contains("new.json"));
}
