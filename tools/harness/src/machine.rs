// SPDX-License-Identifier: GPL-2.0

//! What the machine is.

use std::fs;

/// User mode Linux, which unmaps late: a program that runs may reach a page for a
/// while after it is gone.
pub fn is_user_mode() -> bool {
    fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("User Mode Linux"))
}

/// A kernel with PREEMPT_RT.
pub fn is_rt() -> bool {
    fs::read_to_string("/proc/version").is_ok_and(|text| text.contains("PREEMPT_RT"))
}

/// The kernel's name and version.
pub fn kernel() -> String {
    let text = fs::read_to_string("/proc/version").unwrap_or_default();
    text.split_whitespace().nth(2).unwrap_or("?").into()
}

/// How many processors there are.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A number out of a file, or 0.
pub fn number_of(path: &str) -> u64 {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}
