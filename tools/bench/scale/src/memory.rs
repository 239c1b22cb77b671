// SPDX-License-Identifier: GPL-2.0

//! The exact amount of free memory, in pages.

use std::fs;

use harness::{process, PAGE};

use crate::figure::Result;

/// Number and interval of the checks until freed memory is available: some of it is
/// freed by RCU.
const LOOKS: usize = 50;
const APART_MS: u64 = 20;

/// Free bytes, including the per-CPU lists. Caches are dropped before. Waits until two
/// successive values are the same.
pub fn free() -> Result<u64> {
    let mut before = free_now()?;
    for _ in 0..LOOKS {
        process::pause(APART_MS);
        let now = free_now()?;
        if now == before {
            break;
        }
        before = now;
    }
    Ok(before)
}

fn free_now() -> Result<u64> {
    let zones = "/proc/zoneinfo";
    // A kernel without this has fewer caches.
    let _ = fs::write("/proc/sys/vm/drop_caches", "3");
    let text = fs::read_to_string(zones).map_err(|error| format!("{zones}: {error}"))?;
    match pages(&text) {
        0 => Err(format!("{zones} has no free pages")),
        pages => Ok(pages * PAGE),
    }
}

/// The free pages of all zones, in the zones' lists and in the per-CPU lists.
fn pages(zoneinfo: &str) -> u64 {
    let numbers = zoneinfo.lines().filter_map(|line| -> Option<u64> {
        let mut words = line.split_whitespace();
        match words.next() {
            // Of the per-CPU lists.
            Some("count:") => words.next()?.parse().ok(),
            // "pages free N"; other lines of this kind are low, high and the like.
            Some("pages") if words.next() == Some("free") => words.next()?.parse().ok(),
            _ => None,
        }
    });
    numbers.sum()
}

#[cfg(test)]
mod tests {
    use super::pages;

    #[test]
    fn free_pages_are_those_of_zones_and_processors() {
        let text = "Node 0, zone      DMA\n  pages free     3840\n        boost    0\n        \
            present  3998\n      nr_free_pages 3840\n  pagesets\n    cpu: 0\n              \
            count:    7\n              high:     0\nNode 0, zone    DMA32\n  pages free     \
            100000\n  pagesets\n    cpu: 0\n              count:    250\n    cpu: 1\n              \
            count:    3\n";
        assert_eq!(pages(text), 3840 + 7 + 100_000 + 253);
        assert_eq!(pages(""), 0);
    }
}
