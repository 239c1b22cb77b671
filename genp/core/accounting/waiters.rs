// SPDX-License-Identifier: GPL-2.0

//! Waiting requests: in which order they are served, and what they want.
//!
//! Each is in one queue, its partition's or the pool's, and in a list of all by what they
//! want. A list is a [`Ranking`], so none of these is ever gone through: a request finds
//! its place by bisection.

use core::ops::{Deref, DerefMut};

use super::{
    super::count::must_hold,
    ranking::{List, Ranking},
    urgency::Urgency,
    Frames, Memory, WaitOrder, MAX_LEASES_PER_PARTITION, NONE,
};

/// A waiting request, as far as its places depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    pub(super) lease: u32,
    /// A lower one is more urgent.
    pub(super) prio: i32,
    /// Counts requests: no two are the same.
    pub(super) arrival: u64,
    /// What it wants of the pool; 0 for one that may not wait for frames.
    pub(super) wants: Frames,
}

impl Waiter {
    const NONE: Self = Self {
        lease: NONE,
        prio: 0,
        arrival: 0,
        wants: 0,
    };
}

/// The entry of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WaiterId(u16);

impl WaiterId {
    /// That of a lease that does not wait.
    pub(super) const NONE: Self = Self(u16::MAX);
}

impl From<u8> for WaiterId {
    fn from(item: u8) -> Self {
        Self(item.into())
    }
}

/// The queue of a partition, the first one last, so that it is taken without moving others.
pub(super) type OwnQueue = Ranking<Slots>;

/// Room for a waiter in each slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots([u8; MAX_LEASES_PER_PARTITION as usize]);

impl Slots {
    pub(super) const EMPTY: Self = Self([0; MAX_LEASES_PER_PARTITION as usize]);
}

impl Deref for Slots {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Slots {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// The table of waiting requests.
pub(super) struct WaiterTable<M: Memory> {
    order: WaitOrder,
    entries: M::Table<Waiter>,
}

impl<M: Memory> WaiterTable<M> {
    /// An entry. O(1).
    fn at(&self, waiter: WaiterId) -> Waiter {
        let entry = self.entries.get(usize::from(waiter.0));
        entry.copied().unwrap_or(Waiter::NONE)
    }

    /// Whether a request with this priority and arrival is served before `other`.
    fn precedes(&self, prio: i32, arrival: u64, other: WaiterId) -> bool {
        let other = self.at(other);
        match self.order {
            WaitOrder::Prio if prio != other.prio => prio < other.prio,
            _ => arrival < other.arrival,
        }
    }

    /// For which entries of a queue `waiter` is served first: those before its place.
    fn before(&self, waiter: WaiterId) -> impl Fn(u8) -> bool + '_ {
        let Waiter { prio, arrival, .. } = self.at(waiter);
        move |other| self.precedes(prio, arrival, other.into())
    }

    /// Inserts an entry into a queue, behind those that it does not precede. O(log waiters).
    pub(super) fn insert<T: List>(&self, queue: &mut Ranking<T>, waiter: WaiterId) {
        let rank = queue.rank(self.before(waiter));
        // CAST: an entry in use is below 256.
        let done = queue.insert(rank, waiter.0 as u8);
        must_hold(done);
    }

    /// Removes an entry from a queue. O(log waiters).
    pub(super) fn remove<T: List>(&self, queue: &mut Ranking<T>, waiter: WaiterId) {
        let rank = queue.rank(self.before(waiter));
        let removed = queue.remove(rank);
        must_hold(removed.map(WaiterId::from) == Some(waiter));
    }
}

/// All waiting requests.
pub(super) struct Waiters<M: Memory> {
    pub(super) table: WaiterTable<M>,
    /// The entries in use, by what they want of the pool, then by arrival.
    by_wants: Ranking<M::Table<u8>>,
    /// The pool's queue: requests that wait for frames, the first one last.
    queue: Ranking<M::Table<u8>>,
    /// Those of the pool's queue that may not wait for frames, only for their budget.
    impatient: Ranking<M::Table<u8>>,
    /// At which priorities they wait, in whichever queue.
    urgency: Urgency,
}

impl<M: Memory> Waiters<M> {
    /// Room for `most` waiters.
    pub(super) fn new(order: WaitOrder, most: u32) -> Result<Self, M::Error> {
        Ok(Self {
            table: WaiterTable {
                order,
                entries: M::table(most, Waiter::NONE)?,
            },
            by_wants: Ranking::of_all(M::table(most, 0)?),
            queue: Ranking::new(M::table(most, 0)?),
            impatient: Ranking::new(M::table(most, 0)?),
            urgency: Urgency::NONE,
        })
    }

    /// The lease that an entry of a queue waits for, or `NONE`. O(1).
    pub(super) fn lease(&self, waiter: Option<u8>) -> u32 {
        waiter.map_or(NONE, |waiter| self.table.at(waiter.into()).lease)
    }

    /// Whether a new request with this priority is served before a queue, of which this is
    /// the first one. O(1).
    pub(super) fn goes_first(&self, prio: i32, first: Option<u8>) -> bool {
        match first {
            Some(first) => self.table.precedes(prio, u64::MAX, first.into()),
            None => true,
        }
    }

    fn rank_by_wants(&self, wants: Frames, arrival: u64) -> usize {
        self.by_wants.rank(|other| {
            let other = self.table.at(other.into());
            (other.wants, other.arrival) < (wants, arrival)
        })
    }

    /// Takes an entry for a request, which is in no queue yet. The caller has checked that
    /// there is one. O(log waiters).
    pub(super) fn enter(&mut self, new: Waiter) -> WaiterId {
        let rank = self.rank_by_wants(new.wants, new.arrival);
        let taken = self.by_wants.take(rank);
        must_hold(taken.is_some());
        let waiter = taken.map_or(WaiterId::NONE, WaiterId::from);
        if let Some(entry) = self.table.entries.get_mut(usize::from(waiter.0)) {
            *entry = new;
        }
        self.urgency.add(new.prio);
        waiter
    }

    /// Gives back an entry that is in no queue. O(log waiters).
    pub(super) fn leave(&mut self, waiter: WaiterId) {
        let Waiter {
            prio,
            wants,
            arrival,
            ..
        } = self.table.at(waiter);
        let rank = self.rank_by_wants(wants, arrival);
        let removed = self.by_wants.remove(rank);
        must_hold(removed.map(WaiterId::from) == Some(waiter));
        self.urgency.remove(prio);
    }

    /// The priority of the most urgent one: see [`Urgency::most_urgent`]. O(1).
    pub(super) fn most_urgent(&self) -> Option<i32> {
        self.urgency.most_urgent()
    }

    /// Puts a waiter into the pool's queue. O(log waiters).
    pub(super) fn join_pool(&mut self, waiter: WaiterId, patient: bool) {
        self.table.insert(&mut self.queue, waiter);
        if !patient {
            self.table.insert(&mut self.impatient, waiter);
        }
    }

    /// Takes a waiter out of the pool's queue. O(log waiters).
    pub(super) fn leave_pool(&mut self, waiter: WaiterId, patient: bool) {
        self.table.remove(&mut self.queue, waiter);
        if !patient {
            self.table.remove(&mut self.impatient, waiter);
        }
    }

    /// The first one of the pool's queue. O(1).
    pub(super) fn first(&self) -> Option<u8> {
        self.queue.last()
    }

    /// The lease that the first one of the pool's queue waits for, or `NONE`. O(1).
    pub(super) fn first_lease(&self) -> u32 {
        self.lease(self.first())
    }

    /// ... the first one of those that may not wait for frames. O(1).
    pub(super) fn first_impatient_lease(&self) -> u32 {
        self.lease(self.impatient.last())
    }

    /// Whether nobody is in the pool's queue.
    pub(super) fn is_pool_queue_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether anybody in the pool's queue may not wait for frames.
    pub(super) fn any_impatient(&self) -> bool {
        !self.impatient.is_empty()
    }

    /// The most that anybody wants of the pool, and the most up to `lendable`: if these can
    /// be served, then all can. O(log waiters).
    pub(super) fn most_wanted(&self, lendable: Frames) -> impl Iterator<Item = Frames> {
        let up_to = self.rank_by_wants(lendable, u64::MAX);
        let at = |rank: Option<u8>| rank.map_or(0, |waiter| self.table.at(waiter.into()).wants);
        let below = up_to
            .checked_sub(1)
            .and_then(|rank| self.by_wants.get(rank));
        [at(self.by_wants.last()), at(below)]
            .into_iter()
            .filter(|&wants| wants > 0)
    }

    /// The leases that are waited for in the pool's queue, in order, for tests.
    pub(super) fn pool_queue(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.queue
            .iter()
            .rev()
            .map(|waiter| self.lease(Some(waiter)))
    }

    /// The leases in the pool's queue that may not wait for frames, in order, for tests.
    pub(super) fn impatient(&self) -> impl Iterator<Item = u32> + '_ {
        self.impatient
            .iter()
            .rev()
            .map(|waiter| self.lease(Some(waiter)))
    }

    /// What all waiters want of the pool, in order, for tests.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Waiter> + '_ {
        self.by_wants
            .iter()
            .map(|waiter| self.table.at(waiter.into()))
    }

    /// Whether a request precedes another one, for tests.
    pub(super) fn is_before(&self, one: WaiterId, other: WaiterId) -> bool {
        self.table.before(one)(other.0 as u8)
    }
}
