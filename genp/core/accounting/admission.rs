// SPDX-License-Identifier: GPL-2.0

//! The rule of admission, which decides whether frames can be committed.
//!
//! It knows no tables, so that genpctl can ask the same question about a pool of which it
//! sees less than the module.

use super::{AccountingError, Frames, Totals};

/// What is known of a waiting request that may wait for frames of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// It wants this many frames.
    Wants(Frames),
    /// It may want any number of frames, or none of the pool.
    Unknown,
}

/// A user, as far as admission depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Frames that count against its ceiling already.
    pub charged: u64,
    /// The most frames it may have in all. [`Frames::MAX`] for no ceiling.
    pub ceiling: Frames,
}

impl User {
    /// A user without a ceiling.
    pub const UNLIMITED: Self = Self {
        charged: 0,
        ceiling: Frames::MAX,
    };

    /// Whether the ceiling allows `frames` more. O(1).
    #[inline(always)]
    pub(super) fn check(&self, frames: Frames) -> Result<(), AccountingError> {
        match self.ceiling {
            Frames::MAX => Ok(()),
            most if self.charged.saturating_add(frames.into()) > u64::from(most) => {
                Err(AccountingError::Ceiling)
            }
            _ => Ok(()),
        }
    }
}

/// The answer of [`judge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The frames can be committed.
    Admitted,
    /// They cannot be committed.
    Refused(AccountingError),
    /// It depends on what a [`Waiter::Unknown`] wants.
    Undecided,
}

/// Whether `frames` more frames can be committed to `user`: they are free, and what is
/// left can still serve every waiter, once all leases have ended. `slots` is the size of
/// the table of accounts if a new one is needed. As many steps as there are waiters.
///
/// A waiter that wants more than can be lent, because drivers are overdue, can only be
/// served by what those return: for it, overdue frames count. One that cannot be served
/// with these either, because frames were poisoned, is refused when its turn comes, and
/// counts for nothing.
///
/// Errors: [`AccountingError::NoSpace`], [`AccountingError::Ceiling`],
/// [`AccountingError::NoPartitionSlot`], in this order.
pub fn judge(
    totals: &Totals,
    slots: Option<u32>,
    user: User,
    frames: Frames,
    waiters: impl Iterator<Item = Waiter>,
) -> Admission {
    if frames > totals.free {
        return Admission::Refused(AccountingError::NoSpace);
    }
    let mut unknown = false;
    // Two stand for all, but for genpctl, which knows only some.
    // loop-bound: 2
    for waiter in waiters {
        match waiter {
            Waiter::Wants(wanted) if starves(totals, frames, wanted) => {
                return Admission::Refused(AccountingError::NoSpace);
            }
            Waiter::Wants(_) => {}
            // A request may want all that can be lent, so any frame may be missed.
            Waiter::Unknown => unknown |= frames > 0,
        }
    }
    if let Err(error) = user.check(frames) {
        return Admission::Refused(error);
    }
    if slots.is_some_and(|slots| totals.partitions >= slots) {
        return Admission::Refused(AccountingError::NoPartitionSlot);
    }
    match unknown {
        true => Admission::Undecided,
        false => Admission::Admitted,
    }
}

/// Whether a waiter that wants `wanted` frames could not be served any more, once all
/// leases have ended, if `frames` were committed. O(1).
fn starves(totals: &Totals, frames: Frames, wanted: Frames) -> bool {
    let lendable = totals.lendable();
    let returned = match wanted > lendable {
        true => totals.overdue,
        false => 0,
    };
    let left = u64::from(lendable) + u64::from(returned);
    u64::from(wanted) <= left && u64::from(wanted) + u64::from(frames) > left
}
