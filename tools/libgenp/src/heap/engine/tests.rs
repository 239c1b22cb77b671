// SPDX-License-Identifier: MIT OR Apache-2.0

use std::ptr::NonNull;

use super::*;
use crate::heap::{bound::suffices, lists::round_up};

const LENGTH: usize = 1 << 18;

struct Field {
    _memory: Vec<u128>,
    engine: Engine,
}

fn field() -> Field {
    let mut memory = vec![0u128; LENGTH / 16 + 1];
    let start = NonNull::new(memory.as_mut_ptr().cast()).unwrap();
    // SAFETY: `memory` lives as long as the engine.
    let engine = Engine::new(unsafe { Memory::new(start, LENGTH) }).unwrap();
    Field {
        _memory: memory,
        engine,
    }
}

impl Field {
    fn alloc(&mut self, size: usize, align: usize) -> Option<usize> {
        let bytes = round_up(size).unwrap();
        let at = self.engine.alloc(bytes, align, 0).unwrap()?;
        let address = self.engine.memory.address(at).as_ptr() as usize;
        assert_eq!(address % align, 0);
        assert!(self.engine.length(at).unwrap() >= size + HEADER);
        Some(at)
    }

    /// Follows all blocks: they lie one behind the other, no two free ones are
    /// neighbours, each knows of the one before, and each free one is in its list.
    fn check(&self) {
        let (engine, mut at, mut used, mut before) = (&self.engine, 0, 0, 0);
        while at < engine.memory.end() {
            let length = engine.length(at).unwrap();
            let free = engine.memory.is_free(at).unwrap();
            assert_eq!(engine.free_before(at).unwrap().1, before);
            assert!(!free || before == 0);
            used += if free { 0 } else { length };
            before = if free { length } else { 0 };
            if free {
                let mut entry = engine.lists.first(List::of(length - HEADER));
                while entry != at {
                    entry = engine.memory.read(entry + NEXT).unwrap() as usize;
                }
            }
            at += length;
        }
        assert_eq!(at, engine.memory.end());
        assert_eq!(engine.free_before(at).unwrap().1, before);
        assert_eq!(used, engine.used());
    }
}

struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        (self.0 >> 33) as usize % most
    }
}

#[test]
fn any_order_of_calls_leaves_the_blocks_in_order() {
    for seed in 0..20 {
        let (mut field, mut draw, mut live) = (field(), Draw(seed), Vec::new());
        for _ in 0..2_000 {
            let size = 1 << draw.below(14);
            let size = size + draw.below(size);
            match draw.below(8) {
                0..=3 => {
                    let align = 16 << if draw.below(3) == 0 { draw.below(9) } else { 0 };
                    live.extend(field.alloc(size, align));
                }
                4 if !live.is_empty() => {
                    let at = live[draw.below(live.len())];
                    let before = field.engine.used();
                    if !field.engine.resize(at, round_up(size).unwrap()).unwrap() {
                        assert_eq!(field.engine.used(), before);
                    }
                }
                5 if !live.is_empty() => {
                    let which = draw.below(live.len());
                    let bytes = round_up(size).unwrap();
                    if let Some(at) = field.engine.unite(live[which], bytes).unwrap() {
                        assert!(field.engine.resize(at, bytes).unwrap());
                        live[which] = at;
                    }
                }
                _ if !live.is_empty() => {
                    let at = live.swap_remove(draw.below(live.len()));
                    field.engine.free(at).unwrap();
                }
                _ => {}
            }
            field.check();
        }
        for at in live {
            field.engine.free(at).unwrap();
        }
        field.check();
        assert_eq!(field.engine.used(), 0);
        assert_eq!(field.engine.free_length(0).unwrap(), LENGTH);
    }
}

/// Whatever else lives: as many blocks of a size as were freed can be had again.
#[test]
fn what_was_freed_fits_again() {
    for seed in 0..300 {
        let (mut field, mut draw) = (field(), Draw(seed));
        let bits = 4 + draw.below(12);
        let size = 1 + draw.below(1 << bits);
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        loop {
            let bits = 4 + draw.below(10);
            let other = 1 + draw.below(1 << bits);
            match draw.below(2) {
                0 => match field.alloc(size, 16) {
                    Some(at) => ours.push(at),
                    None => break,
                },
                _ => others.extend(field.alloc(other, 16)),
            }
        }
        for _ in 0..others.len() / 2 {
            let at = others.swap_remove(draw.below(others.len()));
            field.engine.free(at).unwrap();
        }
        ours.extend(std::iter::from_fn(|| field.alloc(size, 16)));
        for _ in 0..5 {
            let freed = draw.below(ours.len() + 1);
            for _ in 0..freed {
                let at = ours.swap_remove(draw.below(ours.len()));
                field.engine.free(at).unwrap();
            }
            for _ in 0..freed {
                ours.push(field.alloc(size, 16).expect("as many were freed"));
            }
        }
        field.check();
    }
}

/// The bound of the page on libgenp: with at most `live` bytes in blocks of up to `most`,
/// and this memory, nothing is ever refused.
#[test]
fn the_bound_on_fragmentation_holds() {
    let (live, most) = (12 << 10, 480);
    let worst = round_up(most).unwrap() + HEADER;
    let bound = suffices(live as u64, worst as u64) as usize;
    assert!(bound <= LENGTH);
    for seed in 0..30 {
        let (mut field, mut draw) = (field(), Draw(seed));
        let reserve = field.alloc(LENGTH - bound - 2048, 16);
        assert!(reserve.is_some());
        let (mut blocks, mut held) = (Vec::new(), 0);
        for _ in 0..5_000 {
            let size = match draw.below(3) {
                0 => 1 + draw.below(most),
                1 => most,
                _ => 16,
            };
            let taken = round_up(size).unwrap() + HEADER;
            while held + taken > live {
                // Every other one, so that holes have no neighbours.
                let which = draw.below(blocks.len().div_ceil(2)) * 2;
                let at = blocks.remove(which.min(blocks.len() - 1));
                held -= field.engine.length(at).unwrap();
                field.engine.free(at).unwrap();
            }
            let at = field.alloc(size, 16).expect("the bound holds");
            held += field.engine.length(at).unwrap();
            blocks.push(at);
        }
    }
}

/// Whoever allocates may give the lock up before anything else is done to the block.
#[test]
fn what_was_allocated_is_not_taken_for_free() {
    let mut field = field();
    let blocks = [(); 3].map(|()| field.alloc(112, 16).unwrap());
    for at in blocks {
        assert_eq!(field.engine.memory.is_free(at), Ok(false));
    }
    field.engine.free(blocks[0]).unwrap();
    field.engine.free(blocks[2]).unwrap();
    field.check();
    let moved = field.engine.unite(blocks[1], 150).unwrap();
    assert_eq!(moved, Some(blocks[0]));
    assert_eq!(field.engine.memory.is_free(blocks[0]), Ok(false));
    field.check();
}

/// What calls find that come after a word of a field was overwritten: a hole between live blocks,
/// and the block behind it. None if the word was that already.
fn found_after(word: usize, value: u64, free_first: bool) -> Option<Vec<Option<Damaged>>> {
    let mut field = field();
    let blocks = [(); 5].map(|()| field.alloc(112, 16).unwrap());
    field.engine.free(blocks[1]).unwrap();
    field.engine.free(blocks[3]).unwrap();
    let (hole, last) = (blocks[1], blocks[2] - 8);
    let at = match word {
        0..4 => hole + word * 8,
        4 => last,
        _ => blocks[2] + (word - 5) * 8,
    };
    let old = field.engine.memory.read(at).unwrap();
    if old == value || (word == 6 && value & !FLAGS == old & !FLAGS) {
        return None;
    }
    field.engine.memory.write(at, value).unwrap();
    let engine = &mut field.engine;
    let mut found = Vec::new();
    if free_first {
        found.extend([2, 0].map(|block| engine.free(blocks[block]).err()));
    }
    found.extend([(); 2].map(|()| engine.alloc(112, 16, 0).err()));
    if !free_first {
        found.extend([1, 2, 0].map(|block| engine.free(blocks[block]).err()));
    }
    Some(found)
}

#[test]
fn stray_writes_are_noticed_and_go_no_further() {
    for word in 0..7 {
        for value in [
            0,
            1,
            16,
            0x4141_4141_4141_4141,
            u64::MAX,
            LENGTH as u64 - 64,
        ] {
            // Each would follow what was overwritten, in one order or the other.
            let found = [true, false].map(|first| found_after(word, value, first));
            let noticed = |found: &Option<Vec<_>>| {
                found
                    .as_ref()
                    .is_none_or(|found| found.contains(&Some(Damaged)))
            };
            assert!(found.iter().any(noticed), "word {word}, {value:#x}");
        }
    }
}

/// A number below `most`, the next of a sequence.
fn next_below(state: &mut u32, most: usize) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize % most
}

#[test]
fn a_run_is_blocks_that_lie_one_behind_the_other() {
    let mut field = field();
    for (size, most) in [(16, 9), (100, 16), (1024, 4), (5000, 1)] {
        let bytes = round_up(size).unwrap();
        let run = field.engine.alloc_run(bytes, most, 0).unwrap().unwrap();
        assert_eq!(run.count, most);
        let blocks: Vec<_> = [run.first].into_iter().chain(run.others()).collect();
        for pair in blocks.windows(2) {
            assert_eq!(pair[0] + field.engine.length(pair[0]).unwrap(), pair[1]);
            let owner = field.engine.memory.read(pair[1]).unwrap();
            let next = pair[1] + bytes + HEADER;
            let linked = field.engine.memory.note_if(pair[1], State::Cached, owner);
            assert_eq!(linked, Some((next / GRAIN) as u32));
        }
        field.check();
    }
}

#[test]
fn a_run_is_no_longer_than_its_hole() {
    let mut field = field();
    // A hole for two and a half blocks of 1,024 bytes, and no more memory.
    let hole = field.alloc(2560, 16).unwrap();
    while field.alloc(1024, 16).is_some() {}
    while field.alloc(16, 16).is_some() {}
    field.engine.free(hole).unwrap();
    let run = field.engine.alloc_run(1024, 16, 0).unwrap().unwrap();
    assert_eq!((run.first, run.count), (hole, 2));
    field.check();
    assert_eq!(field.engine.alloc_run(1024, 16, 0), Ok(None));
}

#[test]
fn runs_and_blocks_come_and_go_in_any_order() {
    let mut field = field();
    let (mut alive, mut state) = (Vec::new(), 1);
    for _ in 0..4000 {
        let bytes = round_up(1 + next_below(&mut state, 900)).unwrap();
        let most = 1 + next_below(&mut state, 16);
        if let Some(run) = field.engine.alloc_run(bytes, most, 0).unwrap() {
            alive.extend([run.first].into_iter().chain(run.others()));
        }
        let count = next_below(&mut state, 2 * most).min(alive.len());
        let from = next_below(&mut state, alive.len() - count + 1);
        // Neighbours in either direction, and not.
        let mut freed: Vec<_> = alive.drain(from..from + count).collect();
        match next_below(&mut state, 3) {
            0 => freed.reverse(),
            1 => freed.rotate_left(count / 2),
            _ => {}
        }
        let mut freed = freed.into_iter();
        field.engine.free_run(|_| Ok(freed.next())).unwrap();
        field.check();
    }
    let mut rest = alive.into_iter();
    field.engine.free_run(|_| Ok(rest.next())).unwrap();
    field.check();
    assert_eq!(field.engine.used(), 0);
    assert_eq!(field.engine.free_length(0), Ok(field.engine.memory.end()));
}

/// The end of the memory comes and goes under blocks that come and go.
#[test]
fn the_end_moves_when_there_is_no_block() {
    let mut field = field();
    let (mut alive, mut state, mut refused, mut moved) = (Vec::new(), 7, 0, 0);
    assert!(field.engine.cut(LENGTH / 4).unwrap());
    for round in 0..6000 {
        let end = LENGTH / 8 + next_below(&mut state, LENGTH / 8 * 7 / 16) * 16;
        let old = field.engine.end();
        if round % 5 == 0 && end > old {
            field.engine.extend(end).unwrap();
            moved += 1;
        } else if round % 5 == 0 {
            let last = alive.iter().copied().max().unwrap_or(0);
            let free = last == 0 || last + field.engine.length(last).unwrap() <= end;
            assert_eq!(field.engine.cut(end).unwrap(), free);
            let kept = field.engine.end();
            assert!(if free {
                kept <= end && end - kept < SMALLEST
            } else {
                kept == old
            });
            refused += usize::from(!free);
        } else if alive.is_empty() || next_below(&mut state, 3) > 0 {
            alive.extend(field.alloc(1 + next_below(&mut state, 3000), 16));
        } else {
            let at = alive.swap_remove(next_below(&mut state, alive.len()));
            field.engine.free(at).unwrap();
        }
        // Few blocks, so that the end is often free.
        while alive.len() > 20 {
            field.engine.free(alive.swap_remove(0)).unwrap();
        }
        field.check();
    }
    assert!(refused > 50 && moved > 50, "{refused} {moved}");
    for at in alive {
        field.engine.free(at).unwrap();
    }
    field.engine.extend(LENGTH).unwrap();
    field.check();
    assert_eq!(field.engine.free_length(0), Ok(LENGTH));
}
