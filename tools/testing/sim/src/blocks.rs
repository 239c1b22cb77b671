// SPDX-License-Identifier: GPL-2.0

//! Contiguous blocks of a driver, taken and given in threads, interrupts and NMIs.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use kernel::{
    bindings::page,
    sim::{fail, machine},
};

use crate::{
    genp::{
        core::block_counts::ORDERS,
        sys::{abi::genp_partition, glue},
    },
    handler::{check_sound, claim, release},
    world::World,
};

/// GENP_ZERO.
const ZERO: u32 = 2;
const EINVAL: i32 = -22;
/// Blocks that a driver has at most.
const MOST: usize = 12;

/// The blocks that a driver has.
pub(crate) struct Blocks {
    part: *mut genp_partition,
    holder: u64,
    world: Rc<World>,
    /// What the partition was created with; none if another driver takes from it too.
    committed: [u32; ORDERS],
    /// Those that are taken, being taken or being given.
    busy: [Cell<u32>; ORDERS],
    /// How often that was more than what was committed.
    beyond: Cell<u32>,
    taken: RefCell<Vec<(u32, *mut page)>>,
}

impl Blocks {
    pub(crate) fn new(
        part: *mut genp_partition,
        holder: u64,
        world: Rc<World>,
        committed: [u32; ORDERS],
    ) -> Self {
        Self {
            part,
            holder,
            world,
            committed,
            busy: Default::default(),
            beyond: Cell::new(0),
            taken: RefCell::new(Vec::new()),
        }
    }

    /// Takes a block, or gives one. Context: any.
    pub(crate) fn step(&self, a: u32) {
        self.world.calls.set(self.world.calls.get() + 1);
        if a & 1 == 0 && self.taken.borrow().len() < MOST {
            self.take(1 + (a >> 1) % 3, [0, ZERO][(a >> 4) as usize % 2]);
        } else {
            self.give(a >> 1);
        }
    }

    fn change(&self, order: u32, by: i32) {
        let busy = &self.busy[order as usize];
        busy.set(busy.get().wrapping_add_signed(by));
        if busy.get() > self.committed[order as usize] {
            self.beyond.set(self.beyond.get() + 1);
        }
    }

    fn take(&self, order: u32, flags: u32) {
        let errors = machine().memory.known_errors();
        let beyond = self.beyond.get();
        self.change(order, 1);
        // SAFETY: a partition of ours.
        let block: *mut page = unsafe { glue::genp_alloc_pages(self.part, order, flags) }.cast();
        if block.is_null() {
            let guaranteed = self.beyond.get() == beyond;
            self.change(order, -1);
            // Whoever takes too much in between may have had it.
            if guaranteed && machine().memory.errors.get() == 0 {
                fail(&format!(
                    "a block of order {order} of {:#x} is refused that was committed",
                    self.holder
                ));
            }
            return;
        }
        for number in 0..1usize << order {
            let page = block.wrapping_add(number);
            check_sound(page, errors);
            // SAFETY: a page of the machine.
            let content = unsafe { (*page).content.get() };
            if content != 0 && (content != self.holder || flags & ZERO != 0) {
                fail(&format!(
                    "a page of a block of {:#x} has {content:#x} in it",
                    self.holder
                ));
            }
            claim(page, self.holder, false);
        }
        self.taken.borrow_mut().push((order, block));
    }

    fn give(&self, a: u32) {
        let taken = self.taken.borrow_mut().pop();
        let Some((order, block)) = taken else { return };
        let give = |block: *mut page, order| {
            // SAFETY: a partition and a page of ours.
            unsafe { glue::genp_free_pages(self.part, block.cast(), order) }
        };
        for (what, block, order) in [
            ("the second page", block.wrapping_add(1), order),
            ("another order", block, 1 + order % 3),
        ] {
            if a & 7 == 0 && give(block, order) != EINVAL {
                fail(&format!("a block of {:#x} is given by {what}", self.holder));
            }
        }
        for number in 0..1usize << order {
            release(block.wrapping_add(number), self.holder);
        }
        let done = give(block, order);
        self.change(order, -1);
        if done != 0 {
            fail(&format!("a block is not taken back: {done}"));
        }
    }

    /// Gives all of them back.
    pub(crate) fn give_all(&self) {
        while !self.taken.borrow().is_empty() {
            self.give(1);
        }
    }
}
