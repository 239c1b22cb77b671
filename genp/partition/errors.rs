// SPDX-License-Identifier: GPL-2.0

//! Errors that callers brought upon themselves, and how many there were.

use kernel::prelude::*;

use super::Partition;
use crate::genp::{
    stock::Refusal,
    sys::{abi, atomic::InlineAtomic, errno::ESTALE},
};

/// Errors since the partition was created.
pub(super) struct ErrorCounters {
    misuses: InlineAtomic,
    stale_handles: InlineAtomic,
}

impl ErrorCounters {
    pub(super) fn new() -> Self {
        Self {
            misuses: InlineAtomic::new(0),
            stale_handles: InlineAtomic::new(0),
        }
    }

    /// Fills in its figures. Context: any.
    pub(super) fn stat(&self, stat: &mut abi::genp_stat) {
        stat.misuses = self.misuses.load();
        stat.stale_handles = self.stale_handles.load();
    }

    /// As [`Self::stat`]. Context: any.
    pub(super) fn list(&self, listed: &mut abi::genp_list) {
        listed.misuses = self.misuses.load();
        listed.stale_handles = self.stale_handles.load();
    }
}

impl Partition {
    /// Counts an answer that the caller brought upon itself. Context: any.
    pub(crate) fn count_misuse<T>(&self, answer: &Result<T>) {
        let Err(error) = *answer else {
            return;
        };
        if error == ESTALE {
            self.errors.stale_handles.add(1);
        } else if [EINVAL, E2BIG, EPERM, EACCES, ENOTTY, EFAULT].contains(&error) {
            self.errors.misuses.add(1);
        }
    }

    /// Counts something that is not taken back. Context: any.
    #[inline(never)]
    pub(crate) fn refuse(&self, why: Refusal) -> Result<(), Refusal> {
        match why {
            Refusal::Stale => self.errors.stale_handles.add(1),
            Refusal::Foreign => self.errors.misuses.add(1),
        };
        Err(why)
    }
}
