// SPDX-License-Identifier: GPL-2.0

//! What each user has in all: sums that are kept with every change, so that no ceiling is
//! checked by going through the accounts.
//!
//! A user has an entry as long as it has an account. An account knows its user's entry, so
//! only opening and closing one look for it.

use super::{super::count::Count, admission::User, ranking::Ranking, Frames, Memory};

/// The sums of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserSums {
    pub(super) uid: u32,
    /// Accounts, closed ones with frames in quarantine included, and those for children.
    pub(super) accounts: u32,
    /// Frames that count against its ceiling.
    pub(super) charged: u64,
    /// Leases that its partitions were promised.
    pub(super) leases: u32,
    /// Its requests that wait.
    pub(super) waiters: u32,
}

/// What one user may have in all, besides frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserLimits {
    /// Partitions, closed ones with frames in quarantine included.
    pub partitions: u32,
    /// Leases that partitions are promised: the sum of the most that each may have.
    pub leases: u32,
    /// Requests that wait at a time.
    pub waiters: u32,
}

impl UserLimits {
    /// No limit.
    pub const NONE: Self = Self {
        partitions: u32::MAX,
        leases: u32::MAX,
        waiters: u32::MAX,
    };
}

impl UserSums {
    /// An unused entry, or a user that has nothing.
    pub(super) const EMPTY: Self = Self {
        uid: 0,
        accounts: 0,
        charged: 0,
        leases: 0,
        waiters: 0,
    };

    /// The user as admission sees it.
    pub(super) fn under(&self, ceiling: Frames) -> User {
        User {
            charged: self.charged,
            ceiling,
        }
    }
}

/// The entry of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserId(u16);

impl UserId {
    /// No entry: the user of an unused account.
    pub(super) const NONE: Self = Self(u16::MAX);

    fn listed(item: u8) -> Self {
        Self(item.into())
    }
}

/// All users: as many entries as there can be accounts.
pub(super) struct Users<M: Memory> {
    sums: M::Table<UserSums>,
    /// The entries in use, by uid.
    by_uid: Ranking<M::Table<u8>>,
}

impl<M: Memory> Users<M> {
    /// Room for the users of `accounts` accounts.
    pub(super) fn new(accounts: u32) -> Result<Self, M::Error> {
        Ok(Self {
            sums: M::table(accounts, UserSums::EMPTY)?,
            by_uid: Ranking::of_all(M::table(accounts, 0)?),
        })
    }

    /// The sums of an entry. O(1).
    pub(super) fn at(&self, user: UserId) -> UserSums {
        let entry = self.sums.get(usize::from(user.0));
        entry.copied().unwrap_or(UserSums::EMPTY)
    }

    fn change(&mut self, user: UserId, change: impl FnOnce(&mut UserSums)) {
        if let Some(sums) = self.sums.get_mut(usize::from(user.0)) {
            change(sums);
        }
    }

    /// The rank of a user, or that at which it belongs. O(log users).
    fn rank(&self, uid: u32) -> usize {
        self.by_uid
            .rank(|user| self.at(UserId::listed(user)).uid < uid)
    }

    /// The sums of a user. O(log users).
    pub(super) fn of(&self, uid: u32) -> UserSums {
        match self.by_uid.get(self.rank(uid)).map(UserId::listed) {
            Some(user) if self.at(user).uid == uid => self.at(user),
            _ => UserSums::EMPTY,
        }
    }

    /// Counts `accounts` more of a user, one at least. O(log users).
    pub(super) fn join(&mut self, uid: u32, accounts: u32) -> UserId {
        let rank = self.rank(uid);
        let known = self.by_uid.get(rank).map(UserId::listed);
        let user = match known.filter(|&user| self.at(user).uid == uid) {
            Some(user) => user,
            None => {
                // There is one left: no more users than accounts.
                let user = self.by_uid.take(rank).map_or(UserId::NONE, UserId::listed);
                self.change(user, |sums| {
                    *sums = UserSums {
                        uid,
                        ..UserSums::EMPTY
                    }
                });
                user
            }
        };
        self.change(user, |sums| sums.accounts.raise(accounts));
        user
    }

    /// Counts `accounts` less. O(log users).
    pub(super) fn leave(&mut self, user: UserId, accounts: u32) {
        self.change(user, |sums| sums.accounts.lower(accounts));
        let sums = self.at(user);
        if sums.accounts == 0 {
            let rank = self.rank(sums.uid);
            self.by_uid.remove(rank);
        }
    }

    /// Charges a user for `frames` frames. O(1).
    pub(super) fn charge(&mut self, user: UserId, frames: Frames) {
        self.change(user, |sums| sums.charged.raise(frames.into()));
    }

    /// Charges a user for `frames` frames less. O(1).
    pub(super) fn refund(&mut self, user: UserId, frames: Frames) {
        self.change(user, |sums| sums.charged.lower(frames.into()));
    }

    /// Counts leases that a partition of a user is promised. O(1).
    pub(super) fn promise(&mut self, user: UserId, leases: u32) {
        self.change(user, |sums| sums.leases.raise(leases));
    }

    /// Takes a promise of leases back. O(1).
    pub(super) fn take_back(&mut self, user: UserId, leases: u32) {
        self.change(user, |sums| sums.leases.lower(leases));
    }

    /// Counts a request of a user that waits. O(1).
    pub(super) fn wait(&mut self, user: UserId) {
        self.change(user, |sums| sums.waiters.raise(1));
    }

    /// Counts a request that waits less. O(1).
    pub(super) fn go_on(&mut self, user: UserId) {
        self.change(user, |sums| sums.waiters.lower(1));
    }

    /// The users in order, for tests.
    pub(super) fn iter(&self) -> impl Iterator<Item = (UserId, UserSums)> + '_ {
        let users = self.by_uid.iter().map(UserId::listed);
        users.map(|user| (user, self.at(user)))
    }
}
