// SPDX-License-Identifier: GPL-2.0

//! Placement strategies against a model that tries every offset; alone, and with other
//! calls that allocate and free between the stretches of a search.

use genp_core::owner::Owner;
use genp_core::tlsf::{Block, Node, Nodes, SearchRequest, Strategy as Placement, Tlsf, TlsfError};
use proptest::{prelude::*, test_runner::RngSeed};

type Heap = Tlsf<Vec<Node>>;

const UNITS: u32 = 600;
const REGIONS: u32 = 48;

fn heap(units: u32, regions: u32) -> Heap {
    let nodes = vec![Node::EMPTY; Nodes::<Vec<Node>>::count_for(regions)];
    let mut heap = Tlsf::new(Nodes::new(nodes, regions, 5).expect("a sound table"));
    heap.grow(units).expect("nothing is there yet");
    heap
}

/// What is allocated, without any means to find room quickly.
#[derive(Default)]
struct Model(Vec<Block>);

impl Model {
    /// The free blocks: where they begin and how long they are.
    fn holes(&self) -> Vec<(u32, u32)> {
        let mut taken = self.0.clone();
        taken.sort_by_key(|block| block.offset);
        let (mut at, mut holes) = (0, Vec::new());
        for block in taken {
            if block.offset > at {
                holes.push((at, block.offset - at));
            }
            at = block.offset + block.units;
        }
        if at < UNITS {
            holes.push((at, UNITS - at));
        }
        holes
    }

    /// The lowest offset in a hole that serves the request.
    fn lowest_in(hole: (u32, u32), want: &SearchRequest) -> Option<u32> {
        (hole.0..(hole.0 + hole.1).saturating_sub(want.units - 1)).find(|offset| {
            (u64::from(*offset) + u64::from(want.phase)) % u64::from(want.align) == 0
        })
    }

    /// Where the region has to be.
    fn expected_offset(&self, want: &SearchRequest) -> Option<u32> {
        let holes = self.holes();
        match want.strategy {
            Placement::FirstFit => holes.iter().find_map(|hole| Self::lowest_in(*hole, want)),
            Placement::BestFit => holes
                .iter()
                .filter(|hole| Self::lowest_in(**hole, want).is_some())
                .min_by_key(|hole| (hole.1, hole.0))
                .and_then(|hole| Self::lowest_in(*hole, want)),
            Placement::Fixed(offset) => holes
                .iter()
                .any(|hole| hole.0 <= offset && offset + want.units <= hole.0 + hole.1)
                .then_some(offset),
        }
    }

    fn free_one(&mut self, heap: &mut Heap, index: usize) {
        if !self.0.is_empty() {
            let block = self.0.swap_remove(index % self.0.len());
            assert_eq!(heap.free(block.handle), Ok(block));
        }
    }

    fn alloc(&mut self, heap: &mut Heap, units: u32) {
        if let Ok(block) = heap.alloc(units, 1) {
            self.0.push(block);
        }
    }
}

/// What a search must answer, if it ended now.
fn expected(model: &Model, want: &SearchRequest) -> Result<u32, TlsfError> {
    match model.expected_offset(want) {
        Some(_) if model.0.len() == REGIONS as usize => Err(TlsfError::NoNode),
        Some(offset) => Ok(offset),
        None => Err(TlsfError::NoBlock),
    }
}

fn placement() -> impl Strategy<Value = Placement> {
    prop_oneof![
        Just(Placement::FirstFit),
        Just(Placement::BestFit),
        (0..UNITS - 80).prop_map(Placement::Fixed),
    ]
}

fn want() -> impl Strategy<Value = SearchRequest> {
    (1u32..80, 0u32..7, any::<u32>(), placement()).prop_map(|(units, log, phase, strategy)| {
        SearchRequest {
            units,
            align: 1 << log,
            phase,
            strategy,
            owner: Owner::Process,
        }
    })
}

#[derive(Clone, Debug)]
enum Step {
    Alloc(u32),
    Free(usize),
    Search(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1u32..60).prop_map(Step::Alloc),
        3 => any::<usize>().prop_map(Step::Free),
        2 => (1u32..5).prop_map(Step::Search),
    ]
}

/// A reserve with holes everywhere.
fn perforated(sizes: &[u32], gone: &[usize]) -> (Heap, Model) {
    let (mut heap, mut model) = (heap(UNITS, REGIONS), Model::default());
    for size in sizes {
        model.alloc(&mut heap, *size);
    }
    for index in gone {
        model.free_one(&mut heap, *index);
    }
    (heap, model)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        rng_seed: RngSeed::Fixed(20_261_130),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn alone_it_is_what_the_model_says(
        sizes in prop::collection::vec(1u32..40, 0..60),
        gone in prop::collection::vec(any::<usize>(), 0..40),
        wants in prop::collection::vec(want(), 1..20),
    ) {
        let (mut heap, mut model) = perforated(&sizes, &gone);
        for want in wants {
            let right = expected(&model, &want);
            let answer = heap.alloc_placed(want);
            prop_assert_eq!(answer.map(|block| block.offset), right, "{:?}", want);
            if let Ok(block) = answer {
                prop_assert_eq!(block.units, want.units);
                model.0.push(block);
            }
            prop_assert_eq!(heap.check(), Ok(()));
        }
        for block in model.0 {
            prop_assert_eq!(heap.free(block.handle), Ok(block));
        }
        prop_assert_eq!(heap.largest_free(), UNITS);
    }

    /// At the moment the search ends its answer is the right one, whatever went on
    /// before. The one exception it may make is tested below.
    #[test]
    fn among_others_it_is_what_the_model_says_when_it_ends(
        sizes in prop::collection::vec(1u32..20, 0..60),
        gone in prop::collection::vec(any::<usize>(), 0..40),
        want in want(),
        steps in prop::collection::vec(step(), 0..24),
    ) {
        let (mut heap, mut model) = perforated(&sizes, &gone);
        prop_assert_eq!(heap.begin_search(want), Ok(()));
        prop_assert_eq!(heap.begin_search(want), Err(TlsfError::Busy));
        let mut restarts = 0;
        let mut steps = steps.into_iter();
        loop {
            let mut right = expected(&model, &want);
            let answer = match steps.next() {
                Some(Step::Alloc(units)) => {
                    model.alloc(&mut heap, units);
                    restarts += 1;
                    heap.search(0)
                }
                Some(Step::Free(index)) => {
                    model.free_one(&mut heap, index);
                    restarts += 1;
                    right = expected(&model, &want);
                    heap.search(0)
                }
                Some(Step::Search(most)) => heap.search(most),
                // One pass from wherever it is.
                None => Some(heap.search(Nodes::<Vec<Node>>::count_for(REGIONS) as u32).expect("an end")),
            };
            prop_assert_eq!(heap.check(), Ok(()));
            let Some(answer) = answer else {
                continue;
            };
            if want.strategy != Placement::BestFit || restarts <= 8 {
                prop_assert_eq!(answer.map(|block| block.offset), right, "{:?}", want);
            }
            break;
        }
        prop_assert!(heap.search(100).is_none());
    }
}

/// The best block is taken away in each pass.
#[test]
fn the_smallest_block_can_be_snatched_away_but_not_for_ever() {
    let (mut heap, mut model) = perforated(&[7; 40], &[]);
    for index in (0..40).rev().step_by(2) {
        model.free_one(&mut heap, index);
    }
    let want = SearchRequest {
        units: 6,
        align: 1,
        phase: 0,
        strategy: Placement::BestFit,
        owner: Owner::Process,
    };
    heap.begin_search(want).unwrap();
    let (mut walked, mut snatched) = (0, 0);
    let block = loop {
        match heap.search(1) {
            Some(answer) => break answer.unwrap(),
            None => walked += 1,
        }
        // In each pass, before its end: the hole that is given out is the lowest one.
        if walked % 20 == 19 {
            model.alloc(&mut heap, 7);
            snatched += 1;
        }
    };
    // The ninth time it does not begin again.
    assert_eq!(snatched, 9, "it walked {walked} blocks");
    // A hole of 7, and not the large one at the end.
    assert!(block.offset < 40 * 7, "{block:?}");
    assert_eq!(heap.check(), Ok(()));
}

/// Each free sends the cursor back by one block at most.
#[test]
fn a_walk_ends_while_others_free_what_it_passed() {
    let (mut heap, mut model) = perforated(&[4; 40], &[]);
    model.alloc(&mut heap, UNITS - 160);
    let want = SearchRequest {
        units: 100,
        align: 1,
        phase: 0,
        strategy: Placement::FirstFit,
        owner: Owner::Process,
    };
    heap.begin_search(want).unwrap();
    assert!(heap.search(30).is_none());
    // The lowest 24 blocks come free and are too short still; the 25th is enough.
    for _ in 0..24 {
        let lowest = (0..model.0.len())
            .min_by_key(|&i| model.0[i].offset)
            .unwrap();
        model.free_one(&mut heap, lowest);
        assert!(heap.search(0).is_none());
    }
    let next = (0..model.0.len())
        .min_by_key(|&i| model.0[i].offset)
        .unwrap();
    model.free_one(&mut heap, next);
    let block = heap.search(0).expect("given at once").unwrap();
    assert_eq!((block.offset, block.units), (0, 100));
    assert_eq!(heap.check(), Ok(()));
}

#[test]
fn odd_wants() {
    let sound = SearchRequest {
        units: 1,
        align: 1,
        phase: 0,
        strategy: Placement::FirstFit,
        owner: Owner::Process,
    };
    let mut heap = heap(100, 1);
    let mut ask = |want| heap.alloc_placed(want).map(|block| block.offset);
    assert_eq!(
        ask(SearchRequest { units: 0, ..sound }),
        Err(TlsfError::Empty)
    );
    assert_eq!(
        ask(SearchRequest { align: 0, ..sound }),
        Err(TlsfError::BadAlign)
    );
    assert_eq!(
        ask(SearchRequest { align: 6, ..sound }),
        Err(TlsfError::BadAlign)
    );
    assert_eq!(
        ask(SearchRequest {
            units: 101,
            ..sound
        }),
        Err(TlsfError::TooLarge)
    );
    let at = |offset| SearchRequest {
        strategy: Placement::Fixed(offset),
        ..sound
    };
    assert_eq!(ask(at(100)), Err(TlsfError::TooLarge));
    assert_eq!(ask(at(u32::MAX)), Err(TlsfError::TooLarge));
    assert_eq!(ask(at(99)), Ok(99));
    assert_eq!(ask(sound), Err(TlsfError::NoNode));
    assert_eq!(ask(at(99)), Err(TlsfError::NoBlock));
    assert_eq!(ask(at(98)), Err(TlsfError::NoNode));
}

#[test]
fn a_driver_has_it_from_the_first_moment() {
    let mut heap = heap(100, 4);
    let all = heap.alloc(100, 1).unwrap();
    let want = SearchRequest {
        units: 10,
        align: 1,
        phase: 0,
        strategy: Placement::FirstFit,
        owner: Owner::Driver,
    };
    assert_eq!(heap.alloc_placed(want), Err(TlsfError::NoBlock));
    heap.free(all.handle).unwrap();
    let block = heap.alloc_placed(want).unwrap();
    assert_eq!(heap.free(block.handle), Err(TlsfError::Foreign));
    assert_eq!(heap.driver_owned(), 1);
    assert_eq!(heap.free_for_driver(block.handle), Ok(block));
    assert_eq!(heap.check(), Ok(()));
}

/// A reserve that shrinks and grows under a search.
#[test]
fn the_end_may_move() {
    for strategy in [
        Placement::FirstFit,
        Placement::BestFit,
        Placement::Fixed(55),
    ] {
        let mut heap = heap(100, 4);
        let block = heap.alloc(50, 1).unwrap();
        let want = SearchRequest {
            units: 20,
            align: 1,
            phase: 0,
            strategy,
            owner: Owner::Process,
        };
        heap.begin_search(want).unwrap();
        assert!(heap.search(1).is_none());
        heap.shrink(50).unwrap();
        assert_eq!(heap.search(9), Some(Err(TlsfError::NoBlock)));
        heap.grow(100).unwrap();
        heap.begin_search(want).unwrap();
        assert!(heap.search(1).is_none());
        heap.shrink(60).unwrap();
        heap.grow(80).unwrap();
        // To what it has.
        heap.shrink(80).unwrap();
        let found = heap.search(9).unwrap().unwrap();
        assert!(found.offset >= 50 && found.units == 20);
        heap.free(block.handle).unwrap();
        heap.free(found.handle).unwrap();
        assert_eq!(heap.check(), Ok(()));
        heap.begin_search(want).unwrap();
        heap.shrink(0).unwrap();
        assert_eq!(heap.search(9), Some(Err(TlsfError::NoBlock)));
    }
}

/// The next block under the cursor is cut off, and others appear where it was.
#[test]
fn the_end_may_be_another_one() {
    let mut heap = heap(100, 4);
    heap.alloc(40, 1).unwrap();
    let high = heap.alloc(10, 1).unwrap();
    let want = SearchRequest {
        units: 30,
        align: 1,
        phase: 0,
        strategy: Placement::FirstFit,
        owner: Owner::Process,
    };
    heap.begin_search(want).unwrap();
    assert!(heap.search(2).is_none());
    heap.shrink(50).unwrap();
    heap.free(high.handle).unwrap();
    heap.grow(100).unwrap();
    assert_eq!(heap.search(9).unwrap().map(|block| block.offset), Ok(40));
    assert_eq!(heap.check(), Ok(()));
}
