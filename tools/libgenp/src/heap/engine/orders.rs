// SPDX-License-Identifier: MIT OR Apache-2.0

//! All orders of requests in heaps so small that there are not too many of them.

use std::{collections::HashSet, ptr::NonNull};

use super::*;
use crate::heap::bound::suffices;

/// What sizes are counted in here. A block has two at least.
const UNIT: usize = GRAIN;
/// What a heap takes besides the engine.
const OWN: usize = 96;

/// A heap at a moment.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Moment {
    /// The units of the blocks, and what live ones are counted with; free ones: 0.
    blocks: Vec<(u8, u8)>,
    /// The free ones of each size, the first of their list first.
    free: Vec<u8>,
}

/// One step from a moment.
#[derive(Clone, Copy)]
enum Step {
    Alloc(usize),
    Free(usize),
    Resize(usize, usize),
}

struct Tried {
    _memory: Vec<u128>,
    engine: Engine,
    /// Where the blocks begin.
    places: Vec<usize>,
}

impl Moment {
    fn live(&self) -> usize {
        self.blocks.iter().map(|block| usize::from(block.1)).sum()
    }

    /// An engine whose heap is at this moment.
    fn set_up(&self, units: usize) -> Tried {
        let mut memory = vec![0u128; units + 1];
        let start = NonNull::new(memory.as_mut_ptr().cast()).unwrap();
        // SAFETY: `memory` lives as long as the engine.
        let mut engine = Engine::new(unsafe { Memory::new(start, units * UNIT) }).unwrap();
        let mut alloc = |units: u8| {
            let bytes = usize::from(units) * UNIT - HEADER;
            engine.alloc(bytes, GRAIN, 0).unwrap().unwrap()
        };
        let places: Vec<_> = self.blocks.iter().map(|block| alloc(block.0)).collect();
        for &free in self.free.iter().rev() {
            engine.free(places[usize::from(free)]).unwrap();
        }
        Tried {
            _memory: memory,
            engine,
            places,
        }
    }

    /// All that may come next with at most so many live units, and no request for more than
    /// `largest`.
    fn steps(&self, live: usize, largest: usize) -> Vec<Step> {
        let left = live - self.live();
        let mut steps: Vec<_> = (2..=largest.min(left)).map(Step::Alloc).collect();
        for (number, block) in self.blocks.iter().enumerate() {
            let counted = usize::from(block.1);
            if counted > 0 {
                steps.push(Step::Free(number));
                let sizes = 2..=largest.min(left + counted);
                steps.extend(sizes.map(|units| Step::Resize(number, units)));
            }
        }
        steps
    }

    /// What comes of a step: None if a request was refused.
    fn after(&self, step: Step, units: usize) -> Option<Self> {
        let mut tried = self.set_up(units);
        let counted = |number: usize| (tried.places[number], self.blocks[number].1);
        let live = (0..self.blocks.len()).map(counted);
        let mut live: Vec<_> = live.filter(|block| block.1 > 0).collect();
        match step {
            Step::Alloc(units) => {
                let at = tried
                    .engine
                    .alloc(units * UNIT - HEADER, GRAIN, 0)
                    .unwrap()?;
                live.push((at, units as u8));
            }
            Step::Free(number) => {
                let at = tried.places[number];
                tried.engine.free(at).unwrap();
                live.retain(|block| block.0 != at);
            }
            Step::Resize(number, units) => {
                let at = tried.places[number];
                if !tried.engine.resize(at, units * UNIT - HEADER).unwrap() {
                    return Some(self.clone());
                }
                for block in live.iter_mut().filter(|block| block.0 == at) {
                    block.1 = units as u8;
                }
            }
        }
        Some(tried.moment(&live, units))
    }
}

impl Tried {
    fn moment(&self, live: &[(usize, u8)], units: usize) -> Moment {
        let (mut at, mut blocks, mut starts) = (0, Vec::new(), Vec::new());
        while at < units * UNIT {
            let length = self.engine.length(at).unwrap();
            let counted = live.iter().find(|block| block.0 == at);
            blocks.push(((length / UNIT) as u8, counted.map_or(0, |block| block.1)));
            starts.push(at);
            at += length;
        }
        let mut free = Vec::new();
        for list in (1..=units).map(|units| List::of(units * UNIT)) {
            let mut at = self.engine.lists.first(list);
            while at != NONE {
                free.push(starts.iter().position(|&start| start == at).unwrap() as u8);
                at = self.engine.memory.read(at + NEXT).unwrap() as usize;
            }
        }
        Moment { blocks, free }
    }
}

/// Whether a heap of so many units serves all orders; all numbers are of units.
fn serves_all(units: usize, live: usize, largest: usize) -> bool {
    let empty = Moment {
        blocks: vec![(units as u8, 0)],
        free: vec![0],
    };
    let (mut known, mut left) = (HashSet::from([empty.clone()]), vec![empty]);
    while let Some(moment) = left.pop() {
        for step in moment.steps(live, largest) {
            match moment.after(step, units) {
                None => return false,
                Some(next) if known.insert(next.clone()) => left.push(next),
                Some(_) => {}
            }
        }
    }
    true
}

/// What is said to be enough, in units.
fn enough(live: usize, largest: usize) -> usize {
    let bytes = suffices((live * UNIT) as u64, (largest * UNIT) as u64);
    (bytes as usize - OWN) / UNIT
}

#[test]
fn what_is_enough_serves_all_orders_of_requests() {
    for live in 2..=7 {
        for largest in 2..=live {
            let enough = enough(live, largest);
            assert!(serves_all(enough, live, largest), "{live}, {largest}");
        }
    }
}

#[test]
fn of_less_than_is_enough_some_order_of_requests_is_refused() {
    for (live, largest) in [(5, 3), (5, 4), (6, 4), (7, 3), (7, 4), (7, 7), (8, 4)] {
        let less = enough(live, largest) - 1;
        assert!(!serves_all(less, live, largest), "{live}, {largest}");
    }
}
