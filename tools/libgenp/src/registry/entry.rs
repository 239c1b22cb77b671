// SPDX-License-Identifier: MIT OR Apache-2.0

//! An entry of the table of partitions.

use std::{
    ops::Range,
    ptr,
    sync::atomic::{fence, AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering},
};

use crate::partition::Partition;

/// The reserve and the leases of a partition.
const MAPPINGS: usize = 2;

/// A partition, and where its mappings are. That is known here, so that whoever looks for an
/// address touches no partition but the one that has it: another one may be destroyed
/// meanwhile.
pub(super) struct Entry {
    /// Whether somebody has the entry: the only one who changes the rest.
    taken: AtomicBool,
    /// Odd while the rest is changed.
    version: AtomicU32,
    part: AtomicPtr<Partition>,
    starts: [AtomicUsize; MAPPINGS],
    lengths: [AtomicUsize; MAPPINGS],
}

impl Entry {
    pub(super) const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            version: AtomicU32::new(0),
            part: AtomicPtr::new(ptr::null_mut()),
            starts: [const { AtomicUsize::new(0) }; MAPPINGS],
            lengths: [const { AtomicUsize::new(0) }; MAPPINGS],
        }
    }

    /// Takes the entry for a partition; false if somebody has it.
    pub(super) fn enter(&self, part: *mut Partition, mappings: [Option<Range<usize>>; 2]) -> bool {
        // Acquire: pairs with `leave`, whose stores come before those below.
        let mine = self
            .taken
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if mine {
            self.change(part, mappings);
        }
        mine
    }

    /// Gives the entry up, if it is this partition's.
    pub(super) fn leave(&self, part: *const Partition) {
        if ptr::eq(self.part.load(Ordering::Relaxed), part) {
            self.clear();
        }
    }

    /// Gives the entry up. Context: who has it, or a forked child.
    pub(super) fn clear(&self) {
        self.change(ptr::null_mut(), [None, None]);
        // Release: pairs with `enter`.
        self.taken.store(false, Ordering::Release);
    }

    fn change(&self, part: *mut Partition, mappings: [Option<Range<usize>>; 2]) {
        let version = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(version, Ordering::Relaxed);
        // Release: who sees one of the stores below sees the odd version. Pairs with the
        // fence of `read`.
        fence(Ordering::Release);
        self.part.store(part, Ordering::Relaxed);
        let places = self.starts.iter().zip(&self.lengths);
        for ((start, length), mapping) in places.zip(mappings) {
            let mapping = mapping.unwrap_or(0..0);
            start.store(mapping.start, Ordering::Relaxed);
            length.store(mapping.len(), Ordering::Relaxed);
        }
        // Release: publishes them, and the partition. Pairs with `read`.
        self.version
            .store(version.wrapping_add(1), Ordering::Release);
    }

    /// What `look` finds here, if nobody changes the entry meanwhile: an entry that is
    /// changed is not the one of a partition that the caller may use.
    #[inline(always)]
    fn read<T>(&self, look: impl FnOnce(&Self) -> T) -> Option<T> {
        // Acquire: pairs with the last store of `change`.
        let version = self.version.load(Ordering::Acquire);
        let found = look(self);
        // What was read is of this version, if it is still that.
        fence(Ordering::Acquire);
        let same = version % 2 == 0 && self.version.load(Ordering::Relaxed) == version;
        same.then_some(found)
    }

    #[inline(always)]
    fn is_in(&self, mapping: usize, address: usize) -> bool {
        let offset = address.wrapping_sub(self.starts[mapping].load(Ordering::Relaxed));
        offset < self.lengths[mapping].load(Ordering::Relaxed)
    }

    /// The partition, if the address is in its reserve.
    #[inline(always)]
    pub(super) fn with_block(&self, address: usize) -> Option<*const Partition> {
        self.read(|entry| {
            let part = entry.part.load(Ordering::Relaxed).cast_const();
            entry.is_in(0, address).then_some(part)
        })?
    }

    /// The partition, if the address is in one of its mappings.
    pub(super) fn with(&self, address: usize) -> Option<*const Partition> {
        self.read(|entry| {
            let part = entry.part.load(Ordering::Relaxed).cast_const();
            (0..MAPPINGS)
                .any(|mapping| entry.is_in(mapping, address))
                .then_some(part)
        })?
    }

    /// The partition and its mappings, if there is one.
    pub(super) fn all(&self) -> Option<(*mut Partition, [Option<Range<usize>>; 2])> {
        self.read(|entry| {
            let part = entry.part.load(Ordering::Relaxed);
            let mapping = |which: usize| {
                let start = entry.starts[which].load(Ordering::Relaxed);
                let length = entry.lengths[which].load(Ordering::Relaxed);
                (length > 0).then(|| start..start.wrapping_add(length))
            };
            (!part.is_null()).then(|| (part, [mapping(0), mapping(1)]))
        })?
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Where nothing is mapped.
    fn nowhere(number: usize) -> *mut Partition {
        ptr::without_provenance_mut(number * 16)
    }

    #[test]
    fn only_the_partition_of_an_address_is_touched() {
        let entry = Entry::new();
        assert!(entry.enter(nowhere(1), [Some(100..200), Some(300..310)]));
        assert!(!entry.enter(nowhere(2), [None, None]));
        for (address, block, any) in [
            (99, false, false),
            (100, true, true),
            (199, true, true),
            (200, false, false),
            (300, false, true),
            (310, false, false),
        ] {
            assert_eq!(entry.with_block(address).is_some(), block, "{address}");
            assert_eq!(entry.with(address).is_some(), any, "{address}");
        }
        entry.leave(nowhere(2));
        assert_eq!(entry.with(150), Some(nowhere(1).cast_const()));
        entry.leave(nowhere(1));
        assert_eq!(entry.with(150), None);
        assert_eq!(entry.all(), None);
        assert!(entry.enter(nowhere(2), [None, Some(1..2)]));
        assert_eq!(entry.all(), Some((nowhere(2), [None, Some(1..2)])));
    }

    /// Partitions come and go; no mixture of two of them is ever seen.
    #[test]
    fn entries_change_as_a_whole() {
        const ROUNDS: usize = 1_000_000;
        let entry = Entry::new();
        thread::scope(|scope| {
            let changes = scope.spawn(|| {
                for _ in 0..ROUNDS {
                    // The start of the one with the length of the other contains 500.
                    assert!(entry.enter(nowhere(1), [Some(400..410), None]));
                    entry.leave(nowhere(1));
                    assert!(entry.enter(nowhere(2), [Some(1000..2000), None]));
                    entry.leave(nowhere(2));
                }
            });
            while !changes.is_finished() {
                assert_eq!(entry.with_block(500), None);
                if let Some((part, mappings)) = entry.all() {
                    let own = match part == nowhere(1) {
                        true => 400..410,
                        false => 1000..2000,
                    };
                    assert_eq!(mappings, [Some(own), None]);
                }
            }
        });
    }
}
