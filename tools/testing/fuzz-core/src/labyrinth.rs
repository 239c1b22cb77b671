// SPDX-License-Identifier: GPL-2.0

//! The labyrinth against a set, with calls that come between any two accesses of
//! another one, as an NMI's do.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use genp_core::labyrinth::{Labyrinth, LabyrinthError, GIVE_STEPS, TAKE_STEPS};
use genp_core_testing::{
    atomic_words::{Watch, Watched},
    summary::{drain, is_exact, is_open, table},
};

use crate::input::Input;

/// Calls of a case at most.
const CALLS: u32 = 600;

/// One to three levels.
const SIZES: [u32; 8] = [1, 7, 64, 65, 200, 4096, 4097, 9000];

#[derive(Clone, Copy)]
enum Call {
    Take(u32),
    Give(u32),
}

/// A stock, and what the callers know of it.
struct World {
    stock: Labyrinth<Rc<[Interruptible]>>,
    words: Rc<[Interruptible]>,
    pages: u32,
    /// Pages whose give has ended.
    free: RefCell<BTreeSet<u32>>,
    /// Pages of callers.
    held: RefCell<BTreeSet<u32>>,
    /// Comes in after so many accesses.
    pending: Cell<Option<(u32, Call)>>,
    interrupted: Cell<bool>,
    accesses: Cell<u32>,
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// Lets the world count accesses to words, and let a call come in.
#[derive(Debug, Default)]
struct Interrupting;

type Interruptible = Watched<Interrupting>;

impl Watch for Interrupting {
    fn access() {
        if let Some(world) = WORLD.with_borrow(Clone::clone) {
            world.tick();
        }
    }
}

impl World {
    /// An access is about to happen: lets the other call come in if it is time.
    fn tick(&self) {
        self.accesses.set(self.accesses.get() + 1);
        match self.pending.take() {
            Some((0, call)) => {
                let before = self.accesses.replace(0);
                self.interrupted.set(true);
                self.run(call);
                self.accesses.set(before);
            }
            Some((left, call)) => self.pending.set(Some((left - 1, call))),
            None => {}
        }
    }

    fn run(&self, call: Call) {
        match call {
            Call::Take(hint) => self.take(hint),
            Call::Give(page) => self.give(page),
        }
    }

    /// By a hint, or near a page, which may be none.
    fn take(&self, hint: u32) {
        let taken = match hint % 2 {
            0 => self.stock.take(hint / 2),
            _ => self.stock.take_near(hint / 2, hint),
        };
        assert!(self.accesses.get() <= TAKE_STEPS);
        if let Some(page) = taken {
            assert!(self.held.borrow_mut().insert(page), "{page} has two owners");
            // It may be taken before its give has ended.
            self.free.borrow_mut().remove(&page);
        }
    }

    fn give(&self, page: u32) {
        if page >= self.pages {
            assert_eq!(self.stock.give(page), Err(LabyrinthError::OutOfRange));
        } else if self.held.borrow_mut().remove(&page) {
            assert_eq!(self.stock.give(page), Ok(()));
            assert!(self.accesses.get() <= GIVE_STEPS);
            if !self.held.borrow().contains(&page) {
                self.free.borrow_mut().insert(page);
            }
        } else if self.pending.get().is_none() && !self.interrupted.get() {
            assert_eq!(self.stock.give(page), Err(LabyrinthError::NotTaken));
        }
    }

    /// One call, perhaps with another one in between.
    fn step(&self, input: &mut Input<'_>) {
        let how = input.byte();
        let mut call = |kind: u8| match kind & 1 {
            0 => Call::Take(input.short().into()),
            // One in some is foreign.
            _ => Call::Give(u32::from(input.short()) % (self.pages + 2)),
        };
        let outer = call(how);
        if how & 4 != 0 {
            let inner = call(how >> 1);
            self.pending.set(Some((u32::from(how >> 3), inner)));
        }
        self.interrupted.set(false);
        let was_exact = self.is(is_exact);
        let before = self.free.borrow().len();
        self.accesses.set(0);
        self.run(outer);
        self.pending.set(None);
        if !self.interrupted.get() && was_exact {
            if matches!(outer, Call::Take(_)) {
                let taken = before - self.free.borrow().len();
                assert_eq!(taken, before.min(1), "nothing found");
            }
            assert!(self.is(is_exact));
        }
        assert!(self.is(is_open));
    }

    /// Looks at all words, unseen.
    fn is(&self, so: fn(&[Interruptible], u32) -> bool) -> bool {
        let world = WORLD.take();
        let good = so(&self.words, self.pages);
        WORLD.set(world);
        good
    }

    /// Whether all free pages are found, and no other ones.
    fn check(&self) {
        let mut found = BTreeSet::new();
        // Bits above empty words cost takes retries, but each makes it better.
        for _ in 0..=self.words.len() {
            found.append(&mut drain(&self.stock));
        }
        assert_eq!(found, *self.free.borrow());
    }
}

/// The target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let pages = SIZES[usize::from(input.byte()) % SIZES.len()];
    let words: Rc<[Interruptible]> = table(pages).into();
    let world = Rc::new(World {
        stock: Labyrinth::new(words.clone(), pages).expect("a table for so many"),
        words,
        pages,
        free: RefCell::default(),
        held: RefCell::new((0..pages).collect()),
        pending: Cell::new(None),
        interrupted: Cell::new(false),
        accesses: Cell::new(0),
    });
    WORLD.set(Some(world.clone()));
    for _ in 0..CALLS {
        if !input.goes_on() {
            break;
        }
        world.step(&mut input);
    }
    WORLD.set(None);
    world.check();
}
