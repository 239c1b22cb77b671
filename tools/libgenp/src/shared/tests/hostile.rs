// SPDX-License-Identifier: MIT OR Apache-2.0

//! One that shares the heap writes there what it likes, but for the lock. No call of the others
//! may crash, go on for ever, or give a block that is not all in the heap.

use std::sync::atomic::AtomicBool;

use super::{super::words::LOCK, *};
use crate::shared::words::{FIRST, HEADS, LISTS};

/// Words that are not the attacker's: those of the lock, by which it could do anything.
const SPARED: std::ops::Range<usize> = LOCK..NAMESPACE;
/// Seconds after which a call counts as one that goes on for ever.
const LIMIT: u32 = 120;

impl Random {
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A heap with blocks of several sizes, holes, and a member that left blocks.
fn field(memory: NonNull<u8>) -> (Shared, Vec<usize>) {
    let heap = open(memory).unwrap();
    let left = open(memory).unwrap();
    let blocks = |heap: &Shared| -> Vec<_> {
        (0..24)
            .map(|i| heap.alloc(20 + i * i * 10, 16 << (i % 4)).unwrap())
            .collect()
    };
    let (mine, theirs) = (blocks(&heap), blocks(&left));
    for block in mine.iter().chain(&theirs).step_by(3) {
        heap.free(*block).unwrap();
    }
    let offsets = mine.iter().chain(&theirs);
    let offsets = offsets.map(|block| heap.words.offset(*block)).collect();
    drop(left);
    (heap, offsets)
}

/// A word that somebody who knows the heap would change, and what to.
fn attack(heap: &Shared, blocks: &[usize], random: &mut Random) {
    let header = random.one_of(blocks) - engine::HEADER;
    let place = match random.below(8) {
        0 => random.below(FIRST / 8) * 8,
        1 => HEADS + random.below(LISTS) * 8,
        2 => words::MEMBERS + random.below(MOST * 4) * 8,
        3 => random.one_of(&[words::LEVELS, USED, PEAK, REPAIRS, ROOT, 128]),
        4 => words::STEPS + random.below(40) * 8,
        _ => header + random.below(5) * 8,
    };
    if SPARED.contains(&place) {
        return;
    }
    let other = random.one_of(blocks) - engine::HEADER;
    let read = |at: usize| heap.words.read(at).unwrap();
    let extreme = [
        0,
        1,
        7,
        8,
        1 << 47,
        1 << 63,
        u64::MAX,
        u64::MAX - 7,
        u64::MAX - 15,
    ];
    let value = match random.below(9) {
        0 => random.one_of(&extreme),
        1 => other as u64,
        2 => read(place) ^ (1 << random.below(64)),
        3 => read(place).wrapping_add(random.below(4096) as u64 * 16),
        4 => read(place).wrapping_sub(random.below(4096) as u64 * 16),
        5 => read(other + random.below(4) * 8),
        6 => Engine(heap.words).forged(place, random.below(4)).unwrap(),
        7 => (LENGTH - random.below(8) * 8) as u64,
        _ => 1 << random.below(64),
    };
    heap.words.put(place, value).unwrap();
}

/// A call of somebody who shares the heap and knows nothing.
fn call(heap: &Shared, blocks: &[usize], random: &mut Random, memory: NonNull<u8>) {
    let block = heap.words.address(random.one_of(blocks));
    let slot = heap.words.address(random.one_of(blocks)).cast();
    let within = |block: NonNull<u8>, size: usize| {
        let at = heap.words.offset(block);
        assert!(at >= FIRST && at.checked_add(size).is_some_and(|end| end <= LENGTH));
    };
    match random.below(9) {
        0..3 => {
            let size = random.below(60_000) >> random.below(12);
            let align = 16 << random.below(9);
            if let Ok(block) = heap.alloc(size, align) {
                within(block, size);
                assert_eq!(heap.words.offset(block) % align, 0);
            }
        }
        3 | 4 => drop(heap.free(block)),
        5 => {
            if let Ok(bytes) = heap.usable(block) {
                within(block, bytes);
            }
        }
        6 => {
            let _ = heap.put(block, slot);
            if let Ok(block) = heap.take(random.one_of(&[slot, heap.root()])) {
                within(block, 0);
            }
        }
        7 => drop(heap.free_dead()),
        _ => {
            let _ = (heap.stat(), heap.used(), heap.give(block, true));
            drop(open(memory));
        }
    }
}

/// Whether an attacker is to end: also if the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs it in a child, which ends by SIGALRM if it does not come to its end.
fn in_time(run: impl FnOnce()) {
    let pid = start(|| {
        // SAFETY: of the child.
        unsafe { libc::alarm(LIMIT) };
        run();
    });
    let mut status = -1;
    // SAFETY: our child.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0);
}

#[test]
fn what_was_written_anywhere_does_no_harm_to_others() {
    let memory = memory();
    let (heap, blocks) = field(memory);
    drop(heap);
    in_time(|| {
        // Those of the parent are not those of a child.
        let heap = open(memory).unwrap();
        let whole = contents(memory);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..30_000 {
            for _ in 0..1 + random.below(3) {
                attack(&heap, &blocks, &mut random);
            }
            for _ in 0..4 {
                call(&heap, &blocks, &mut random, memory);
            }
            restore(memory, &whole);
        }
    });
}

#[test]
fn who_writes_during_calls_does_no_harm_to_others() {
    let memory = memory();
    let (heap, blocks) = field(memory);
    drop(heap);
    in_time(|| {
        let heap = open(memory).unwrap();
        let whole = contents(memory);
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _end = End(&ended);
            scope.spawn(|| {
                let mut random = Random(7);
                while !ended.load(Ordering::Relaxed) {
                    attack(&heap, &blocks, &mut random);
                }
            });
            let mut random = Random(0x2545_f491_4f6c_dd1d);
            for _ in 0..3_000 {
                for _ in 0..16 {
                    call(&heap, &blocks, &mut random, memory);
                }
                // But for the lock, and what the attacker writes at this moment.
                let (before, after) = (&whole[..SPARED.start], &whole[SPARED.end..]);
                restore_at(&heap, 0, before);
                restore_at(&heap, SPARED.end, after);
            }
        });
    });
}

/// Writes back what was there, by words.
fn restore_at(heap: &Shared, at: usize, bytes: &[u8]) {
    for (number, word) in bytes.chunks_exact(8).enumerate() {
        let value = u64::from_ne_bytes(word.try_into().unwrap());
        heap.words.put(at + number * 8, value).unwrap();
    }
}

/// The least that a forged block can do: a hole that is smaller than its list says.
#[test]
fn a_hole_that_shrank_is_not_given_to_who_needs_more() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let all = heap.alloc(200_000, 16).unwrap();
    let at = heap.words.offset(all) - engine::HEADER;
    heap.free(all).unwrap();
    // It is the first of its list, but says that another one comes before, which points there.
    let engine = Engine(heap.words);
    let before = at + 4096;
    for (place, value) in [
        (at + 8, 1024),
        (at + words::BEFORE, before as u64),
        (before, engine.forged(before, 1).unwrap()),
        (before + words::NEXT, at as u64),
    ] {
        heap.words.put(place, value).unwrap();
    }
    assert_eq!(code(heap.alloc(100_000, 16)), libc::ENOTRECOVERABLE);
}

/// One that says it is gone may go on to allocate: then there is always a block more to free.
#[test]
fn who_frees_the_blocks_of_the_gone_comes_to_an_end() {
    let mut left = 7;
    let freed = until_none(7, || {
        left -= 1;
        Ok(left >= 0)
    });
    assert_eq!(freed.unwrap(), 7);
    assert_eq!(code(until_none(7, || Ok(true))), libc::ENOTRECOVERABLE);
    assert_eq!(code(until_none(7, || Err(error(libc::EIO)))), libc::EIO);
}
