// SPDX-License-Identifier: GPL-2.0

//! The cases of `corpus/`, which the fuzzer kept because each reaches something that
//! the others do not, and some by chance, the same each time.

use std::{fs, path::Path};

use genp_fuzz_core::{target, TARGETS};

/// Runs all files of a target.
fn corpus(name: &str) {
    let target = target(name).expect("a target of this name");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut count = 0;
    for entry in fs::read_dir(&dir).expect("each target has a corpus") {
        let path = entry.expect("it can be read").path();
        println!("{}", path.display());
        target(&fs::read(&path).expect("it can be read"));
        count += 1;
    }
    assert!(count >= 10, "the corpus of {name} is gone");
}

#[test]
fn corpus_of_accounting() {
    corpus("accounting");
}

#[test]
fn corpus_of_bounds() {
    corpus("bounds");
}

#[test]
fn corpus_of_labyrinth() {
    corpus("labyrinth");
}

#[test]
fn corpus_of_tlsf() {
    corpus("tlsf");
}

#[test]
fn corpus_of_watermarks() {
    corpus("watermarks");
}

/// Xorshift, by Marsaglia.
fn scramble(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn bytes_by_chance() {
    let mut state = 20_261_127;
    for (name, target) in TARGETS {
        for number in 0..200 {
            let length = scramble(&mut state) as usize % 600;
            let bytes: Vec<u8> = (0..length).map(|_| scramble(&mut state) as u8).collect();
            println!("{name} {number}");
            target(&bytes);
        }
    }
}
