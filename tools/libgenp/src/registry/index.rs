// SPDX-License-Identifier: MIT OR Apache-2.0

//! The mappings of all partitions in the order of their addresses. Whoever looks
//! something up while the index is made finds nothing here, and searches the table
//! instead.

use std::{
    ops::Range,
    ptr,
    sync::atomic::{fence, AtomicPtr, AtomicU32, AtomicUsize, Ordering},
};

use super::{entry, PARTITIONS};
use crate::{lock::PiMutex, partition::Partition};

/// A partition has two mappings.
const ENTRIES: usize = 2 * PARTITIONS;

struct Entry {
    start: AtomicUsize,
    end: AtomicUsize,
    part: AtomicPtr<Partition>,
}

static INDEX: [Entry; ENTRIES] = [const {
    Entry {
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        part: AtomicPtr::new(ptr::null_mut()),
    }
}; ENTRIES];

/// Entries in use.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Odd while the index is made.
static VERSION: AtomicU32 = AtomicU32::new(0);

/// Held by whoever makes the index.
static MAKER: PiMutex<()> = PiMutex::new(());

/// Makes the index of a table. Context: no signal handler, as for all that registers a
/// partition or removes it.
///
/// A partition that leaves the table meanwhile may be in it until whoever removed it, who waits
/// here, has made the index anew: nobody looks it up.
pub(super) fn make(table: &[entry::Entry]) {
    let Ok(_guard) = MAKER.lock() else { return };
    let version = VERSION.load(Ordering::Relaxed);
    VERSION.store(version | 1, Ordering::Relaxed);
    // Pairs with the fence of `find`.
    fence(Ordering::Release);
    let mut count = 0;
    for (part, mappings) in table.iter().filter_map(entry::Entry::all) {
        for mapping in mappings.into_iter().flatten() {
            insert(count, mapping, part);
            count += 1;
        }
    }
    COUNT.store(count, Ordering::Relaxed);
    // Release: pairs with `find`.
    VERSION.store((version | 1).wrapping_add(1), Ordering::Release);
}

/// Inserts an entry into the first `count` ones, which are in order.
fn insert(count: usize, mapping: Range<usize>, part: *mut Partition) {
    let mut at = count;
    while at > 0 && INDEX[at - 1].start.load(Ordering::Relaxed) > mapping.start {
        let before = &INDEX[at - 1];
        let moved = before.start.load(Ordering::Relaxed)..before.end.load(Ordering::Relaxed);
        set(at, moved, before.part.load(Ordering::Relaxed));
        at -= 1;
    }
    set(at, mapping, part);
}

fn set(at: usize, mapping: Range<usize>, part: *mut Partition) {
    INDEX[at].start.store(mapping.start, Ordering::Relaxed);
    INDEX[at].end.store(mapping.end, Ordering::Relaxed);
    INDEX[at].part.store(part, Ordering::Relaxed);
}

/// The partition with an address in one of its mappings.
pub(super) fn find(address: usize) -> Option<*const Partition> {
    // Acquire: pairs with `make`.
    let version = VERSION.load(Ordering::Acquire);
    let (mut low, mut high) = (0, COUNT.load(Ordering::Relaxed).min(ENTRIES));
    while low < high {
        let middle = (low + high) / 2;
        match INDEX[middle].start.load(Ordering::Relaxed) <= address {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    let entry = &INDEX[low.checked_sub(1)?];
    let inside = address < entry.end.load(Ordering::Relaxed);
    let part = entry.part.load(Ordering::Relaxed);
    // What was read before is of this version, if it is still that.
    fence(Ordering::Acquire);
    let same = version % 2 == 0 && VERSION.load(Ordering::Relaxed) == version;
    (inside && same).then_some(part.cast_const())
}

/// Forgets all entries, and that anybody makes the index. Context: a forked child.
pub(super) fn forget() {
    COUNT.store(0, Ordering::Relaxed);
    VERSION.store(0, Ordering::Relaxed);
    MAKER.forget();
}
