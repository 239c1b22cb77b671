// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which stacks may have how many blocks. All limits together are at most [`BLOCKS`], so
//! that returning all cached blocks takes a number of steps that does not depend on the
//! number of threads. A stack earns its limit by being full, and loses it when another
//! one needs it and nobody used it meanwhile.

use super::{
    memory::HEADER,
    size_class::bytes_of,
    thread_cache::{Place, Taken, ThreadCache},
};

/// The most cached blocks of a heap.
pub(super) const BLOCKS: usize = 1024;
/// The most blocks of a stack.
const DEPTH: usize = 32;
/// The first limit of a stack; full ones get four times as much.
const FIRST: usize = 4;
/// How often a limit is raised until it is the highest.
pub(super) const RAISES: usize = 3;
/// Stacks with a limit, at most.
const STACKS: usize = BLOCKS / FIRST;
/// A stack holds at most this fraction of the heap, or a single block of a larger one.
const SHARE: usize = 64;
const SINGLE_SHARE: usize = 8;

#[derive(Clone, Copy)]
struct Granted {
    place: Place,
    /// The number of changes of the stack when the hand was there.
    changes: u32,
}

/// The stacks that have a limit.
pub(super) struct Grants {
    granted: [Granted; STACKS],
    count: usize,
    /// Blocks that no stack may have yet.
    left: usize,
    /// The next stack that is asked whether it still needs its limit.
    hand: usize,
    /// The bytes of the heap; 0 if nothing is to be cached.
    bytes: usize,
}

impl Grants {
    /// For a heap of this many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let none = Granted {
            place: ThreadCache::depot(0),
            changes: 0,
        };
        Self {
            granted: [none; STACKS],
            count: 0,
            left: BLOCKS,
            hand: 0,
            bytes,
        }
    }

    /// Goes on with a heap of this many bytes. Stacks that have more than their share then keep
    /// it until they lose it.
    pub(super) fn set_bytes(&mut self, bytes: usize) {
        self.bytes = bytes;
    }

    /// The most blocks that a stack of this class may ever have.
    fn most(&self, class: u8) -> usize {
        let bytes = bytes_of(class as usize) + HEADER;
        let most = (self.bytes / SHARE / bytes).min(DEPTH);
        most.max(usize::from(bytes <= self.bytes / SINGLE_SHARE))
    }

    /// The stack of this number, if there are as many.
    pub(super) fn place(&self, number: usize) -> Option<Place> {
        let granted = self.granted[..self.count].get(number)?;
        Some(granted.place)
    }

    /// The places of all stacks that have a limit.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.granted[..self.count]
            .iter()
            .map(|granted| granted.place)
    }

    /// Raises the limit of a stack: false if that failed.
    pub(super) fn raise(&mut self, cache: &ThreadCache, place: Place) -> bool {
        // One that had a limit before can be among the others already, which does no harm.
        let old = cache.limit(place);
        let wanted = (old * 4).max(FIRST).min(self.most(place.class));
        if wanted <= old || wanted - old > self.left {
            return false;
        }
        if old == 0 {
            let Some(free) = self.granted.get_mut(self.count) else {
                return false;
            };
            let changes = cache.changes(place);
            *free = Granted { place, changes };
            self.count += 1;
        }
        self.left -= wanted - old;
        cache.set_limit(place, wanted);
        true
    }

    /// Whether a full stack may get a higher limit, if there are blocks left.
    pub(super) fn wants_more(&self, cache: &ThreadCache, place: Place) -> bool {
        cache.limit(place) < self.most(place.class)
    }

    /// Looks at the stack at the hand: if it was not used since the hand was there last,
    /// and is not that for which it is needed, takes its limit and its blocks.
    ///
    /// A stack without a limit stays among the others until the hand finds it empty: its
    /// owner may just have put a block in front of it.
    pub(super) fn retire_one(&mut self, cache: &ThreadCache, needed: Place) -> Option<Taken> {
        self.hand = if self.hand < self.count { self.hand } else { 0 };
        let granted = self.granted[..self.count].get_mut(self.hand)?;
        let place = granted.place;
        let changes = cache.changes(place);
        let used = changes != granted.changes || place == needed;
        granted.changes = changes;
        if cache.limit(place) == 0 && cache.is_empty(place) {
            self.count -= 1;
            self.granted[self.hand] = self.granted[self.count];
            return None;
        }
        self.hand += 1;
        if used {
            return None;
        }
        self.left += cache.limit(place);
        Some(cache.retire(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_limits_together_have_a_bound() {
        let cache = ThreadCache::new(1 << 30).unwrap();
        let mut grants = Grants::new(1 << 30);
        let places = || (1..=100).flat_map(|slot| (0..9).map(move |class| Place { slot, class }));
        let sum = || places().map(|place| cache.limit(place)).sum::<usize>();
        for _ in 0..RAISES {
            for place in places() {
                grants.raise(&cache, place);
                assert!(sum() <= BLOCKS);
            }
        }
        assert_eq!(sum(), BLOCKS);
        // Idle stacks give theirs to one that needs it.
        let needed = Place {
            slot: 101,
            class: 0,
        };
        for _ in 0..2 * STACKS {
            let _ = grants.retire_one(&cache, needed);
        }
        assert!(grants.raise(&cache, needed));
        assert_eq!(sum(), 0);
    }
}
