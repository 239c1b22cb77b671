// SPDX-License-Identifier: GPL-2.0

//! By what partitions can be sorted.

use clap::ValueEnum;

use crate::partitions::{Counts, Partition};

/// By what partitions are sorted.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Order {
    /// Wrong arguments and stale handles
    Misuse,
    /// Leases that ended by force
    Revoked,
    /// Requests that waited in vain
    Timeout,
    /// What is on lease
    Lent,
    /// What is committed
    Reserve,
}

impl Order {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Misuse => "misuse",
            Self::Revoked => "revoked",
            Self::Timeout => "timeout",
            Self::Lent => "lent",
            Self::Reserve => "reserve",
        }
    }

    /// How much of it a partition has; `None` if that is not known.
    pub fn of(self, part: &Partition) -> Option<u64> {
        let count = |of: fn(&Counts) -> u64| part.counts.as_ref().map(of);
        match self {
            Self::Misuse => count(|it| it.misuses.saturating_add(it.stale_handles)),
            Self::Revoked => count(|it| it.revocations),
            Self::Timeout => count(|it| it.timeouts),
            Self::Lent => Some(part.lent),
            Self::Reserve => Some(part.reserve),
        }
    }
}
