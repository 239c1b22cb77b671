// SPDX-License-Identifier: GPL-2.0

//! What genp_bench.ko says about sections with interrupts off.

use std::fs;

use crate::scene::Result;

const LOCKED: &str = "/sys/kernel/debug/genp_bench/locked";

/// The probes.
pub struct Sections;

impl Sections {
    /// Sets the probes.
    pub fn probe() -> Result<Self> {
        let probes = Self;
        probes.reset()?;
        Ok(probes)
    }

    /// Forgets all sections so far.
    pub fn reset(&self) -> Result<()> {
        fs::write(LOCKED, "0").map_err(|error| format!("{LOCKED}: {error}"))
    }

    /// The longest section since [`Self::reset`].
    pub fn longest(&self) -> Result<u64> {
        let text = fs::read_to_string(LOCKED).map_err(|error| format!("{LOCKED}: {error}"))?;
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(longest)), Some(Ok(1..))) => Ok(longest),
            _ => Err(format!("{LOCKED}: no section: {text}")),
        }
    }
}
