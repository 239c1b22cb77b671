// SPDX-License-Identifier: GPL-2.0

//! Every order of accesses, and every older value a load may see, with two and
//! three threads.
//!
//! The words are acquire and release only, which is less than `Word` asks for: what
//! holds here needs no full barrier.

use std::{collections::BTreeSet, sync::Arc};

use genp_core::labyrinth::{Labyrinth, Word};
use loom::{
    model::Builder,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire},
    },
    thread,
};

use super::{drain, first_leaf, is_open, table};

#[derive(Debug)]
struct LoomWord(AtomicU64);

impl Default for LoomWord {
    fn default() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Word for LoomWord {
    fn load(&self) -> u64 {
        self.0.load(Acquire)
    }

    fn set(&self, bit: u32) -> bool {
        self.0.fetch_or(1 << bit, AcqRel) & (1 << bit) != 0
    }

    fn clear(&self, bit: u32) -> bool {
        self.0.fetch_and(!(1 << bit), AcqRel) & (1 << bit) != 0
    }

    fn observe(&self) -> u64 {
        self.0.fetch_add(0, AcqRel)
    }
}

/// Two leaves, and one word above them.
const TWO_ROOMS: u32 = 128;
/// 65 leaves, two summary words, and one word above them.
const THREE_LEVELS: u32 = 4097;

// Three pages of the first leaf, one of the second one, and one beyond the second
// summary word.
const NEAR: u32 = 0;
const NEXT: u32 = 1;
const STOPPED: u32 = 2;
const FAR: u32 = 64;
const FARTHEST: u32 = 4096;

struct Stock {
    words: Arc<[LoomWord]>,
    labyrinth: Labyrinth<Arc<[LoomWord]>>,
}

/// What a thread does; the pages it is left with.
type Part = fn(&Stock) -> Vec<u32>;

/// What happens at the same time.
struct Scene<'a> {
    pages: u32,
    /// Pages that are free before.
    free: &'a [u32],
    /// Pages that the parts give besides.
    given: &'a [u32],
    parts: &'a [Part],
    /// Threads that lose the CPU against their will, at most; `None`: any number.
    preemptions: Option<usize>,
}

fn take(stock: &Stock) -> Vec<u32> {
    Vec::from_iter(stock.labyrinth.take(0))
}

fn take_one(stock: &Stock) -> Vec<u32> {
    vec![stock.labyrinth.take(0).expect("there is one for each")]
}

fn give(stock: &Stock, page: u32) -> Vec<u32> {
    stock.labyrinth.give(page).unwrap();
    Vec::new()
}

fn take_and_give(stock: &Stock) -> Vec<u32> {
    match stock.labyrinth.take(0) {
        Some(page) => give(stock, page),
        None => Vec::new(),
    }
}

fn give_near(stock: &Stock) -> Vec<u32> {
    give(stock, NEAR)
}

fn give_next(stock: &Stock) -> Vec<u32> {
    give(stock, NEXT)
}

fn give_far(stock: &Stock) -> Vec<u32> {
    give(stock, FAR)
}

fn give_farthest(stock: &Stock) -> Vec<u32> {
    give(stock, FARTHEST)
}

/// A give that is stopped for ever after its first access.
fn give_to_the_room(stock: &Stock) -> Vec<u32> {
    stock.words[first_leaf(stock.labyrinth.pages())].set(STOPPED);
    Vec::new()
}

/// A give that is stopped for ever below the top of three levels.
fn give_to_the_corridor(stock: &Stock) -> Vec<u32> {
    let summary = &stock.words[1];
    give_to_the_room(stock);
    if summary.load() & 1 == 0 {
        summary.set(0);
    }
    Vec::new()
}

fn stock_of(scene: &Scene<'_>) -> Arc<Stock> {
    let words: Arc<[LoomWord]> = table(scene.pages).into();
    let labyrinth = Labyrinth::new(words.clone(), scene.pages).unwrap();
    for page in scene.free {
        labyrinth.give(*page).unwrap();
    }
    Arc::new(Stock { words, labyrinth })
}

/// Runs the parts at the same time, in all orders. At the end each page that was
/// free or given is with one thread, or is found.
fn explore(scene: Scene<'static>) {
    let all = BTreeSet::from_iter(scene.free.iter().chain(scene.given).copied());
    let mut builder = Builder::new();
    builder.preemption_bound = scene.preemptions;
    builder.check(move || {
        let stock = stock_of(&scene);
        let threads: Vec<_> = scene.parts[1..]
            .iter()
            .map(|part| {
                let stock = stock.clone();
                thread::spawn(move || part(&stock))
            })
            .collect();
        let mut got = scene.parts[0](&stock);
        for thread in threads {
            got.extend(thread.join().unwrap());
        }
        // A give that was stopped may leave its own page, and words taken empty since,
        // without a path.
        let stopped = stock.labyrinth.is_free(STOPPED) || got.contains(&STOPPED);
        assert!(stopped || is_open(&stock.words, scene.pages));
        got.extend(drain(&stock.labyrinth));
        let found = BTreeSet::from_iter(got.iter().copied());
        assert_eq!(found.len(), got.len(), "a page with two owners: {got:?}");
        let found = BTreeSet::from_iter(got.into_iter().filter(|page| *page != STOPPED));
        assert_eq!(found, all);
    });
}

/// Several scenes that differ in what is free before.
fn explore_each(frees: &[&'static [u32]], scene: impl Fn(&'static [u32]) -> Scene<'static>) {
    for free in frees {
        explore(scene(free));
    }
}

#[test]
fn two_takes() {
    explore_each(&[&[], &[NEAR], &[NEAR, FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[],
        parts: &[take, take],
        preemptions: None,
    });
}

#[test]
fn as_many_takes_as_pages() {
    explore_each(&[&[NEAR, NEXT], &[NEAR, FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[],
        parts: &[take_one, take_one],
        preemptions: None,
    });
    explore_each(&[&[NEAR, NEXT, FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[],
        parts: &[take_one, take_one, take_one],
        preemptions: Some(3),
    });
}

#[test]
fn two_gives() {
    explore(Scene {
        pages: TWO_ROOMS,
        free: &[],
        given: &[NEAR, NEXT],
        parts: &[give_near, give_next],
        preemptions: None,
    });
    explore(Scene {
        pages: THREE_LEVELS,
        free: &[],
        given: &[NEAR, FARTHEST],
        parts: &[give_near, give_farthest],
        preemptions: None,
    });
}

#[test]
fn a_take_and_a_give() {
    explore_each(&[&[], &[NEXT], &[FAR], &[NEXT, FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[NEAR],
        parts: &[take, give_near],
        preemptions: None,
    });
}

#[test]
fn a_take_and_a_give_on_three_levels() {
    let scene = |free, given, parts| Scene {
        pages: THREE_LEVELS,
        free,
        given,
        parts,
        preemptions: None,
    };
    explore(scene(&[], &[NEAR], &[take, give_near]));
    explore(scene(&[NEXT], &[NEAR], &[take, give_near]));
    explore(scene(&[NEXT], &[FAR], &[take, give_far]));
    explore(scene(&[NEXT], &[FARTHEST], &[take, give_farthest]));
}

#[test]
fn takes_that_give_back() {
    explore_each(&[&[NEAR], &[NEAR, FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[],
        parts: &[take_and_give, take_and_give],
        preemptions: Some(3),
    });
    explore_each(&[&[NEAR], &[NEAR, FARTHEST]], |free| Scene {
        pages: THREE_LEVELS,
        free,
        given: &[],
        parts: &[take_and_give, take_and_give],
        preemptions: Some(2),
    });
}

#[test]
fn two_takes_and_a_give() {
    explore_each(&[&[], &[NEXT], &[NEXT, FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[NEAR],
        parts: &[take, give_near, take],
        preemptions: Some(3),
    });
}

#[test]
fn a_take_and_two_gives() {
    explore_each(&[&[], &[FAR]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[NEAR, NEXT],
        parts: &[take, give_near, give_next],
        preemptions: Some(3),
    });
}

#[test]
fn a_give_beside_one_that_is_stopped() {
    explore_each(&[&[], &[NEXT]], |free| Scene {
        pages: TWO_ROOMS,
        free,
        given: &[NEAR],
        parts: &[take, give_near, give_to_the_room],
        preemptions: Some(3),
    });
}

#[test]
fn a_give_beside_one_that_is_stopped_on_three_levels() {
    let scene = |given, parts| Scene {
        pages: THREE_LEVELS,
        free: &[NEXT],
        given,
        parts,
        preemptions: Some(3),
    };
    explore(scene(&[NEAR], &[take, give_near, give_to_the_room]));
    explore(scene(&[NEAR], &[take, give_near, give_to_the_corridor]));
    explore(scene(&[FAR], &[take, give_far, give_to_the_corridor]));
}
