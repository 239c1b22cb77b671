// SPDX-License-Identifier: GPL-2.0

//! Looks for fewer steps with which a case still fails. Each attempt is a process of its
//! own, because a failure ends it.

use std::process::{Command, Stdio};

use genp_sim::case::Case;

fn text(gone: &[(usize, usize)]) -> String {
    let words: Vec<_> = gone
        .iter()
        .map(|(from, to)| format!("{from}-{to}"))
        .collect();
    words.join(",")
}

/// Whether the case fails without these steps.
fn fails(seed: u64, gone: &[(usize, usize)]) -> bool {
    let Ok(program) = std::env::current_exe() else {
        return false;
    };
    let status = Command::new(program)
        .args(["--seed", &seed.to_string(), "--cases", "1", "--shrink", "0"])
        .args(["--without", &text(gone)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| !status.success())
}

/// The option that leaves out what is not needed.
pub(crate) fn shrink(seed: u64) -> String {
    let count = Case::new(seed).steps();
    let mut gone: Vec<(usize, usize)> = Vec::new();
    let mut size = count / 2;
    while size > 0 {
        let mut from = 0;
        while from < count {
            let range = (from, (from + size).min(count));
            let new = !gone.iter().any(|(a, b)| *a <= range.0 && range.1 <= *b);
            if new {
                gone.push(range);
                if !fails(seed, &gone) {
                    gone.pop();
                }
            }
            from += size;
        }
        size /= 2;
    }
    match gone.is_empty() {
        true => String::new(),
        false => format!(" --without {}", text(&gone)),
    }
}
