// SPDX-License-Identifier: GPL-2.0

//! Properties of the machine.

use std::fs;

/// Whether this is User Mode Linux, which unmaps late: a running program may reach a
/// page for a while after it was unmapped.
pub fn is_user_mode() -> bool {
    fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("User Mode Linux"))
}

/// Whether this is a PREEMPT_RT kernel.
pub fn is_rt() -> bool {
    fs::read_to_string("/proc/version").is_ok_and(|text| text.contains("PREEMPT_RT"))
}

/// The kernel's name and version.
pub fn kernel() -> String {
    let text = fs::read_to_string("/proc/version").unwrap_or_default();
    text.split_whitespace().nth(2).unwrap_or("?").into()
}

/// Whether the kernel refuses MADV_DOFORK for a reserve: Linux 6.12 does not.
pub fn refuses_dofork() -> bool {
    let name = kernel();
    let mut parts = name.split('.').map(|part| part.parse::<u32>().ok());
    let version = (parts.next().flatten(), parts.next().flatten());
    version >= (Some(6), Some(13))
}

/// The number of processors.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The number in a file, or 0.
pub fn number_of(path: &str) -> u64 {
    fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}
