// SPDX-License-Identifier: GPL-2.0

//! A list of small numbers in an order of the caller's, found by bisection.
//!
//! The numbers are indices of a table of at most 256 entries, a byte each, so that the
//! whole list is moved with a few hundred bytes at most: see [`Ranking::insert`].

use core::ops::DerefMut;

use super::super::count::Count;

/// The most numbers of a list.
pub(super) const MOST: u32 = 256;

/// The most steps of a bisection.
#[allow(dead_code)] // Of the bounds of loops, which tools/wcet reads.
const STEPS: u32 = 9;
const _: () = assert!(MOST < 1 << STEPS);

/// Memory for a list.
pub(super) trait List: DerefMut<Target = [u8]> {}

impl<T: DerefMut<Target = [u8]>> List for T {}

/// The list. What lies behind it in the table are the numbers that it does not have, if it
/// was made with [`Ranking::of_all`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranking<T> {
    items: T,
    len: usize,
}

impl<T> Ranking<T> {
    /// An empty list with room for as many numbers as `items` has.
    pub(super) const fn new(items: T) -> Self {
        Self { items, len: 0 }
    }

    /// Whether it has no number.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many numbers it has.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Removes all numbers.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

impl<T: List> Ranking<T> {
    /// An empty list of which [`Self::take`] gives out the numbers from 0 to below the
    /// length of `items`, which is at most [`MOST`].
    pub(super) fn of_all(mut items: T) -> Self {
        for (item, number) in items.iter_mut().zip(0..=u8::MAX) {
            *item = number;
        }
        Self::new(items)
    }

    fn listed(&self) -> &[u8] {
        self.items.get(..self.len).unwrap_or(&[])
    }

    /// The numbers in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = u8> + '_ {
        self.listed().iter().copied()
    }

    /// The number at a rank.
    pub(super) fn get(&self, rank: usize) -> Option<u8> {
        self.listed().get(rank).copied()
    }

    /// The last number.
    pub(super) fn last(&self) -> Option<u8> {
        self.listed().last().copied()
    }

    /// How many numbers come before the place that `before` describes: it is true for those
    /// before it, and for no other. At most nine calls.
    pub(super) fn rank(&self, mut before: impl FnMut(u8) -> bool) -> usize {
        let listed = self.listed();
        let (mut low, mut high) = (0, listed.len());
        // loop-bound: STEPS
        while low < high {
            let middle = low.plus(high) / 2;
            match listed.get(middle) {
                Some(&item) if before(item) => low = middle.plus(1),
                _ => high = middle,
            }
        }
        low
    }

    /// Inserts a number at a rank. False if there is no room. Moves as many bytes as there
    /// are numbers behind.
    pub(super) fn insert(&mut self, rank: usize, item: u8) -> bool {
        let Some(behind) = self.items.get_mut(rank..=self.len) else {
            return false;
        };
        let Some(rest) = behind.len().checked_sub(1) else {
            return false;
        };
        behind.copy_within(..rest, 1);
        if let Some(first) = behind.first_mut() {
            *first = item;
        }
        self.len = self.len.saturating_add(1);
        true
    }

    /// Inserts a number that it does not have at a rank, if there is one left. As
    /// [`Self::insert`].
    pub(super) fn take(&mut self, rank: usize) -> Option<u8> {
        let item = self.items.get(self.len).copied()?;
        self.insert(rank, item).then_some(item)
    }

    /// Removes the number at a rank. Moves as many bytes as there are numbers behind.
    pub(super) fn remove(&mut self, rank: usize) -> Option<u8> {
        let behind = self.items.get_mut(rank..self.len)?;
        let item = *behind.first()?;
        behind.copy_within(1.., 0);
        if let Some(last) = behind.last_mut() {
            *last = item;
        }
        self.len = self.len.saturating_sub(1);
        Some(item)
    }
}
