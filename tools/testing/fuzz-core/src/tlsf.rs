// SPDX-License-Identifier: GPL-2.0

//! The TLSF allocator against a list of what is allocated, in constant time and by
//! placement strategies, for which the list says exactly where a region must lie.

use genp_core::{
    owner::Owner,
    tlsf::{class_ceiling, Block, Node, Nodes, SearchRequest, Strategy, Tlsf, TlsfError},
};

use crate::input::Input;

type Heap = Tlsf<Vec<Node>>;

const REGIONS: u32 = 48;
const UNITS: u32 = 2000;
/// Steps of a case at most.
const STEPS: u32 = 500;

/// A region, and whose it is.
#[derive(Clone, Copy)]
struct Live {
    block: Block,
    owner: Owner,
}

struct World {
    heap: Heap,
    live: Vec<Live>,
    freed: Vec<u64>,
    /// A search that goes on in stretches.
    searching: Option<SearchRequest>,
}

/// The first offset from `from` on that `want` allows.
fn aligned(from: u32, align: u32, phase: u32) -> u64 {
    let (from, phase) = (u64::from(from), u64::from(phase));
    (from + phase).next_multiple_of(align.into()) - phase
}

impl World {
    fn new(seed: u32) -> Self {
        let nodes = vec![Node::EMPTY; Nodes::<Vec<Node>>::count_for(REGIONS)];
        let mut heap = Tlsf::new(Nodes::new(nodes, REGIONS, seed).expect("a sound table"));
        heap.grow(UNITS).expect("nothing is there yet");
        Self {
            heap,
            live: Vec::new(),
            freed: Vec::new(),
            searching: None,
        }
    }

    /// Free blocks, from the lowest on: where each begins and ends.
    fn gaps(&self) -> Vec<(u32, u32)> {
        let mut used: Vec<_> = self.live.iter().map(|live| live.block).collect();
        used.sort_by_key(|block| block.offset);
        let mut from = 0;
        let mut gaps = Vec::new();
        for block in used {
            gaps.push((from, block.offset));
            from = block.offset + block.units;
        }
        gaps.push((from, self.heap.units()));
        gaps.retain(|(from, to)| from < to);
        gaps
    }

    /// Where the list says a region must lie.
    fn expected(&self, want: &SearchRequest) -> Option<u32> {
        let fits = |&(from, to): &(u32, u32)| {
            let at = match want.strategy {
                Strategy::Fixed(at) => u64::from(at),
                _ => aligned(from, want.align, want.phase),
            };
            let inside = at >= from.into() && at + u64::from(want.units) <= to.into();
            inside.then_some((to - from, at as u32))
        };
        let gaps = self.gaps();
        let mut found = gaps.iter().filter_map(fits);
        match want.strategy {
            // The first of several.
            Strategy::BestFit => found.min_by_key(|(size, _)| *size),
            _ => found.next(),
        }
        .map(|(_, at)| at)
    }

    fn keep(&mut self, block: Block, owner: Owner) {
        assert!(block.offset + block.units <= self.heap.units());
        assert!(block.handle != 0 && block.handle >> 63 == 0);
        let free = |gap: &(u32, u32)| gap.0 <= block.offset && block.offset + block.units <= gap.1;
        assert!(self.gaps().iter().any(free), "two regions overlap");
        self.live.push(Live { block, owner });
    }

    /// Allocates, for a driver if there is a phase.
    fn alloc(&mut self, units: u32, align: u32, phase: Option<u32>) {
        let full = self.live.len() as u32 == REGIONS || self.searching.is_some();
        let answer = match phase {
            Some(phase) => self.heap.alloc_for_driver(units, align, phase),
            None => self.heap.alloc(units, align),
        };
        match answer {
            Ok(block) => {
                assert_eq!(block.units, units);
                assert_eq!(block.offset.wrapping_add(phase.unwrap_or(0)) % align, 0);
                let owner = match phase {
                    Some(_) => Owner::Driver,
                    None => Owner::Process,
                };
                self.keep(block, owner);
            }
            Err(TlsfError::Empty) => assert_eq!(units, 0),
            Err(TlsfError::TooLarge) => assert!(units > self.heap.units()),
            Err(TlsfError::NoNode) => assert!(full),
            Err(error) => {
                assert_eq!(error, TlsfError::NoBlock);
                assert!(align > 1 || units > self.heap.largest_free());
                // A block of the class above holds any alignment.
                let enough = units.checked_add(align - 1).and_then(class_ceiling);
                let largest = self.gaps().iter().map(|gap| gap.1 - gap.0).max();
                assert!(
                    self.searching.is_some() || enough.is_none_or(|enough| largest < Some(enough))
                );
            }
        }
    }

    fn alloc_placed(&mut self, want: SearchRequest) {
        let answer = self.heap.alloc_placed(want);
        match answer {
            Err(TlsfError::Empty) => return assert_eq!(want.units, 0),
            Err(TlsfError::Busy) => return assert!(self.searching.is_some()),
            Err(TlsfError::TooLarge) => return assert_eq!(self.expected(&want), None),
            Err(TlsfError::NoNode) => return assert_eq!(self.live.len() as u32, REGIONS),
            _ => {}
        }
        let expected = self.expected(&want);
        assert_eq!(answer.ok().map(|block| block.offset), expected, "{want:?}");
        if let Ok(block) = answer {
            self.keep(block, want.owner);
        }
    }

    fn begin(&mut self, want: SearchRequest) {
        match self.heap.begin_search(want) {
            Ok(()) => {
                assert!(self.searching.is_none());
                self.searching = Some(want);
            }
            Err(TlsfError::Busy) => assert!(self.searching.is_some()),
            Err(error) => assert!(matches!(error, TlsfError::Empty | TlsfError::TooLarge)),
        }
    }

    /// Continues the search for `most` blocks.
    fn go_on(&mut self, most: u32) {
        let answer = self.heap.search(most);
        let Some(want) = self.searching else {
            return assert_eq!(answer, None);
        };
        let Some(answer) = answer else {
            return;
        };
        self.searching = None;
        if let Ok(block) = answer {
            assert_eq!(block.units, want.units);
            match want.strategy {
                Strategy::Fixed(at) => assert_eq!(block.offset, at),
                _ => assert_eq!((block.offset.wrapping_add(want.phase)) % want.align, 0),
            }
            self.keep(block, want.owner);
        }
    }

    fn free(&mut self, index: usize) {
        let Some(live) = self.live.get(index).copied() else {
            return;
        };
        let handle = live.block.handle;
        let (right, wrong) = match live.owner {
            Owner::Driver => (self.heap.free_for_driver(handle), None),
            Owner::Process => (
                self.heap.free(handle),
                Some(self.heap.free_for_driver(handle)),
            ),
        };
        assert_eq!(right, Ok(live.block));
        assert!(wrong.is_none_or(|wrong| wrong.is_err()));
        self.live.swap_remove(index);
        self.freed.push(handle);
    }

    fn resize(&mut self, units: u32) {
        let end = self
            .live
            .iter()
            .map(|live| live.block.offset + live.block.units);
        let (end, old) = (end.max().unwrap_or(0), self.heap.units());
        let done = match units >= old {
            true => self.heap.grow(units),
            false => self.heap.shrink(units),
        };
        match done {
            Ok(()) => assert!(self.heap.units() == units && units >= end),
            Err(TlsfError::Busy) => assert!(units < end || self.searching.is_some()),
            Err(_) => assert!(self.heap.units() == old && units >= old),
        }
    }

    /// Frees a driver's region as a process would, or the other way round.
    fn free_as_another(&mut self, index: usize) {
        let Some(live) = self.live.get(index) else {
            return;
        };
        let handle = live.block.handle;
        let answer = match live.owner {
            Owner::Driver => self.heap.free(handle),
            Owner::Process => self.heap.free_for_driver(handle),
        };
        assert_eq!(answer, Err(TlsfError::Foreign));
    }

    fn step(&mut self, input: &mut Input<'_>) {
        let kind = input.byte();
        let index = input.byte();
        let of = |count: usize| usize::from(index) % count.max(1);
        match kind % 16 {
            0..=2 => self.alloc(input.below(200), 1 << (index % 8), Some(input.below(64))),
            3 => self.alloc(input.below(200), 1 << (index % 8), None),
            4 => self.alloc(input.below(3000), 1 << (index % 3), None),
            5 | 6 => self.alloc_placed(want(kind, index, input)),
            7 => self.begin(want(kind, index, input)),
            8 => self.go_on(index.into()),
            9..=11 => self.free(of(self.live.len())),
            12 => {
                if let Some(handle) = self.freed.get(of(self.freed.len())) {
                    assert_eq!(self.heap.free(*handle), Err(TlsfError::Stale));
                }
            }
            13 => self.resize(input.below(4000)),
            14 => {
                let handle = input.number();
                if !self.live.iter().any(|live| live.block.handle == handle) {
                    assert!(
                        self.heap.free_for_driver(handle).is_err()
                            && self.heap.free(handle).is_err()
                    );
                }
            }
            _ => self.free_as_another(of(self.live.len())),
        }
    }

    /// What must hold after each step.
    fn check(&self) {
        assert_eq!(self.heap.check(), Ok(()));
        let sum: u32 = self.live.iter().map(|live| live.block.units).sum();
        let held = self
            .live
            .iter()
            .filter(|live| live.owner == Owner::Driver)
            .count() as u32;
        let count = self.live.len() as u32;
        // A search may have its region already.
        let found = self.heap.regions() - count;
        assert!(found <= u32::from(self.searching.is_some()));
        if found == 0 {
            assert_eq!(
                (self.heap.used_units(), self.heap.driver_owned()),
                (sum, held)
            );
        }
        assert!(self.heap.used_peak() >= self.heap.used_units());
    }
}

fn want(kind: u8, index: u8, input: &mut Input<'_>) -> SearchRequest {
    SearchRequest {
        units: input.below(200),
        align: 1 << (index % 8),
        phase: input.below(64),
        strategy: match kind / 16 % 3 {
            0 => Strategy::FirstFit,
            1 => Strategy::BestFit,
            _ => Strategy::Fixed(input.below(2500)),
        },
        owner: match index & 0x80 {
            0 => Owner::Process,
            _ => Owner::Driver,
        },
    }
}

/// The target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut world = World::new(input.number() as u32);
    for _ in 0..STEPS {
        if !input.goes_on() {
            break;
        }
        world.step(&mut input);
        world.check();
    }
    while world.searching.is_some() {
        world.go_on(u32::MAX);
    }
    while !world.live.is_empty() {
        world.free(0);
    }
    // All of it is one block again.
    assert_eq!(world.heap.largest_free(), world.heap.units());
    world.check();
}
