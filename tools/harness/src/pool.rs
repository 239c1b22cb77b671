// SPDX-License-Identifier: GPL-2.0

//! Checks of the pool: what must hold at any time, and when it is not in use.

use crate::{abi::genp_info, calls, now, process::pause, SEC};

/// How long background work may take on a slow machine. Only there to end a broken
/// run.
pub const PATIENCE: u64 = 60 * SEC;

/// What is inconsistent, if anything.
pub fn inconsistency(info: &genp_info) -> Option<String> {
    if info.broken_invariants > 0 {
        return Some(format!("{} invariants were broken", info.broken_invariants));
    }
    let sum = info.committed + info.lent + info.overdue + info.free;
    (sum != info.capacity).then(|| {
        format!(
            "committed {} + lent {} + overdue {} + free {} is not the capacity {}",
            info.committed, info.lent, info.overdue, info.free, info.capacity
        )
    })
}

/// The fields that must be the same before and after, by name.
fn still(info: &genp_info) -> [(&'static str, u64); 11] {
    [
        ("capacity", info.capacity),
        ("committed", info.committed),
        ("lent", info.lent),
        ("overdue", info.overdue),
        ("free", info.free),
        ("quarantined", info.quarantined),
        ("emergency_free", info.emergency_free),
        ("range_free", info.range_free),
        ("partitions", info.partitions.into()),
        ("leases", info.leases.into()),
        ("waiters", info.waiters.into()),
    ]
}

fn tell(info: &genp_info) -> String {
    let parts = still(info).map(|(name, value)| format!("{name} {value}"));
    parts.join(" ")
}

/// Waits until the pool is as it was `before`; returns what is not.
pub fn wait_restored(control: i32, before: &genp_info) -> Result<(), String> {
    let limit = now() + PATIENCE;
    loop {
        let info = calls::info(control).map_err(|e| format!("GENP_GET_INFO: errno {e}"))?;
        if let Some(text) = inconsistency(&info) {
            return Err(text);
        }
        if still(&info) == still(before) {
            return Ok(());
        }
        if now() > limit {
            return Err(format!(
                "the pool is not as it was\n  before: {}\n  now:    {}",
                tell(before),
                tell(&info)
            ));
        }
        pause(2);
    }
}
