// SPDX-License-Identifier: GPL-2.0

//! Calls that are interrupted by others between any two accesses, as by an NMI on
//! the same CPU, and gives that are stopped there for ever.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, VecDeque},
    panic::{catch_unwind, resume_unwind, AssertUnwindSafe},
    rc::Rc,
};

use genp_core::labyrinth::{Labyrinth, GIVE_STEPS, TAKE_STEPS};
use proptest::{prelude::*, test_runner::RngSeed};

use super::{drain, is_open, table, Watch, Watched};

/// The most nested interrupts.
const DEPTH: u32 = 4;

/// Three levels; these are all the pages that are ever free. Two share a leaf, a
/// third shares a summary word with them, the last one only the top.
const PAGES: u32 = 4097;
const SOME: [u32; 4] = [0, 1, 64, 4096];

#[derive(Clone, Copy, Debug)]
enum Call {
    Take(u32),
    Give(usize),
    /// A give that is stopped after this many accesses.
    GiveUntil(usize, u32),
}

/// The calls that interrupt after each number of accesses.
type Interrupt = (u32, Vec<Call>);

/// Lets the machine's interrupts come in at accesses to words.
#[derive(Debug, Default)]
struct Interrupting;

type Interruptible = Watched<Interrupting>;

impl Watch for Interrupting {
    fn access() {
        if let Some(machine) = MACHINE.with_borrow(Clone::clone) {
            machine.tick();
        }
    }
}

thread_local! {
    static MACHINE: RefCell<Option<Rc<Machine>>> = const { RefCell::new(None) };
}

/// The call that is running.
#[derive(Clone, Copy, Default)]
struct Running {
    accesses: u32,
    last: Option<u32>,
}

/// A CPU and what it does.
struct Machine {
    stock: Labyrinth<Rc<[Interruptible]>>,
    words: Rc<[Interruptible]>,
    running: Cell<Running>,
    interrupts: RefCell<VecDeque<Interrupt>>,
    interrupted: Cell<u32>,
    depth: Cell<u32>,
    /// Takes that have begun and not ended.
    takes: Cell<u32>,
    /// Pages taken, or never given.
    held: RefCell<BTreeSet<u32>>,
    /// Pages whose give has ended.
    free: RefCell<BTreeSet<u32>>,
    /// Pages whose give was stopped for ever.
    stopped: RefCell<BTreeSet<u32>>,
    /// Whether there ever was one, which may leave bits above empty words, and these
    /// without a path.
    stops: Cell<bool>,
}

impl Machine {
    /// A machine on which these pages are free.
    fn new(free: impl Iterator<Item = usize>, interrupts: Vec<Interrupt>) -> Rc<Self> {
        let words: Rc<[Interruptible]> = table(PAGES).into();
        let machine = Rc::new(Self {
            stock: Labyrinth::new(words.clone(), PAGES).unwrap(),
            words,
            running: Cell::default(),
            interrupts: RefCell::default(),
            interrupted: Cell::default(),
            depth: Cell::default(),
            takes: Cell::default(),
            held: RefCell::new(SOME.into()),
            free: RefCell::default(),
            stopped: RefCell::default(),
            stops: Cell::default(),
        });
        MACHINE.set(Some(machine.clone()));
        free.for_each(|index| machine.call(Call::Give(index)));
        machine.interrupts.replace(interrupts.into());
        machine
    }

    /// Comes before each access.
    fn tick(&self) {
        let due = self.depth.get() < DEPTH && {
            let mut interrupts = self.interrupts.borrow_mut();
            match interrupts.front_mut() {
                Some((0, _)) => true,
                Some((left, _)) => {
                    *left -= 1;
                    false
                }
                None => false,
            }
        };
        if due {
            let interrupt = self.interrupts.borrow_mut().pop_front();
            self.interrupted.set(self.interrupted.get() + 1);
            self.depth.set(self.depth.get() + 1);
            for call in interrupt.into_iter().flat_map(|(_, calls)| calls) {
                self.call(call);
            }
            self.depth.set(self.depth.get() - 1);
        }
        let mut running = self.running.get();
        if running.last == Some(running.accesses) {
            resume_unwind(Box::new(()));
        }
        running.accesses += 1;
        self.running.set(running);
    }

    /// Runs a call on top of what is running.
    fn call(&self, call: Call) {
        let below = self.running.replace(Running::default());
        match call {
            Call::Take(hint) => self.take(hint),
            Call::Give(index) => self.give(SOME[index], None),
            Call::GiveUntil(index, last) => self.give(SOME[index], Some(last)),
        }
        self.running.set(below);
    }

    fn take(&self, hint: u32) {
        let interrupted = self.interrupted.get();
        let must_find = self.takes.get() == 0 && !self.free.borrow().is_empty();
        self.takes.set(self.takes.get() + 1);
        let page = self.stock.take(hint);
        self.takes.set(self.takes.get() - 1);
        assert!(self.running.get().accesses <= TAKE_STEPS);
        if let Some(page) = page {
            assert!(self.held.borrow_mut().insert(page), "{page} has two owners");
            self.free.borrow_mut().remove(&page);
            self.stopped.borrow_mut().remove(&page);
        } else if must_find && self.interrupted.get() == interrupted {
            panic!("nothing found of {:?}", self.free.borrow());
        }
    }

    fn give(&self, page: u32, last: Option<u32>) {
        if !self.held.borrow_mut().remove(&page) {
            return;
        }
        let depth = self.depth.get();
        self.running.set(Running { accesses: 0, last });
        let give = || self.stock.give(page);
        if last.is_none() {
            assert_eq!(give(), Ok(()));
        } else if catch_unwind(AssertUnwindSafe(give)).is_err() {
            self.depth.set(depth);
            self.stops.set(true);
            if !self.held.borrow().contains(&page) {
                self.stopped.borrow_mut().insert(page);
            }
            return;
        }
        assert!(self.running.get().accesses <= GIVE_STEPS);
        // Unless it was taken meanwhile, and perhaps half given again.
        if !self.held.borrow().contains(&page) && !self.stopped.borrow().contains(&page) {
            self.free.borrow_mut().insert(page);
        }
    }

    /// Nothing is running any more: whether no page is lost.
    fn check(&self) {
        self.interrupts.borrow_mut().clear();
        assert!(self.stops.get() || is_open(&self.words, PAGES));
        let found = drain(&self.stock);
        assert!(found.is_superset(&self.free.borrow()), "{found:?}");
        assert!(found.is_disjoint(&self.held.borrow()), "{found:?}");
    }
}

/// All calls that make sense in between.
fn calls() -> Vec<Call> {
    let indices = 0..SOME.len();
    let stopped = |index| (1..=4).map(move |last| Call::GiveUntil(index, last));
    [Call::Take(0)]
        .into_iter()
        .chain(indices.clone().map(Call::Give))
        .chain(indices.flat_map(stopped))
        .collect()
}

/// Runs `outer` with `calls` before its first, second, ... access, until there are
/// no more of them.
fn at_every_access(chosen: usize, outer: Call, calls: &[Call]) {
    for access in 0.. {
        let free = (0..SOME.len()).filter(|index| (chosen >> index) & 1 != 0);
        let machine = Machine::new(free, vec![(access, calls.to_vec())]);
        machine.call(outer);
        let came = machine.interrupted.get() > 0;
        machine.check();
        if !came {
            break;
        }
    }
}

#[test]
fn a_take_interrupted_anywhere_loses_nothing() {
    let calls = calls();
    for chosen in 0..1 << SOME.len() {
        for first in &calls {
            for second in &calls {
                at_every_access(chosen, Call::Take(0), &[*first, *second]);
            }
        }
    }
}

#[test]
fn a_give_interrupted_anywhere_hides_nothing_else() {
    let calls = calls();
    for chosen in 0..1 << SOME.len() {
        for outer in [0, 3] {
            for first in &calls {
                for second in &calls {
                    at_every_access(chosen, Call::Give(outer), &[*first, *second]);
                }
            }
        }
    }
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (0u32..3).prop_map(Call::Take),
        4 => (0..SOME.len()).prop_map(Call::Give),
        1 => (0..SOME.len(), 1u32..5).prop_map(|(index, last)| Call::GiveUntil(index, last)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 5000,
        // The same cases each time: a run of CI finds what the change broke.
        rng_seed: RngSeed::Fixed(20_261_127),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn interrupts_within_interrupts_lose_nothing(
        chosen in 0usize..1 << SOME.len(),
        calls in prop::collection::vec(call(), 1..12),
        interrupts in prop::collection::vec(
            (0u32..12, prop::collection::vec(call(), 1..4)),
            1..40,
        ),
    ) {
        let free = (0..SOME.len()).filter(|index| (chosen >> index) & 1 != 0);
        let machine = Machine::new(free, interrupts);
        calls.into_iter().for_each(|call| machine.call(call));
        machine.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        rng_seed: RngSeed::Fixed(20_261_128),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn steps_are_bounded_however_often_it_is_interrupted(
        calls in prop::collection::vec(call(), 400),
    ) {
        // One other call before every access, and none in the middle of those.
        let machine = Machine::new(0..SOME.len(), Vec::new());
        let interrupts = calls.into_iter().map(|call| (0, vec![call]));
        machine.interrupts.replace(interrupts.collect());
        machine.depth.set(DEPTH - 1);
        machine.call(Call::Take(0));
        machine.depth.set(0);
        machine.check();
    }
}
