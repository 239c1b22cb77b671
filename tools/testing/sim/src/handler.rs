// SPDX-License-Identifier: GPL-2.0

//! Pages of a driver's stock, taken and given in threads, interrupts and NMIs.

use core::cell::RefCell;
use std::rc::Rc;

use kernel::{
    bindings::page,
    sim::{fail, machine},
};

use crate::{
    drivers::{claim, release},
    genp::sys::{abi::genp_partition, glue},
    world::World,
};

/// GENP_EMERGENCY and GENP_ZERO.
const EMERGENCY: u32 = 1;
const ZERO: u32 = 2;
/// Pages that a driver has at most.
const MOST: usize = 40;

/// The pages that a driver has.
pub(crate) struct Pages {
    part: *mut genp_partition,
    holder: u64,
    world: Rc<World>,
    taken: RefCell<Vec<*mut page>>,
}

impl Pages {
    pub(crate) fn new(part: *mut genp_partition, holder: u64, world: Rc<World>) -> Self {
        Self {
            part,
            holder,
            world,
            taken: RefCell::new(Vec::new()),
        }
    }

    /// In an interrupt.
    pub(crate) fn interrupt(&self, _nmi: bool) {
        let rng = machine().rng();
        for _ in 0..1 + rng.below(3) {
            self.step(rng.draw() as u32);
        }
    }

    /// Takes a page, or gives one. Context: any.
    pub(crate) fn step(&self, a: u32) {
        self.world.calls.set(self.world.calls.get() + 1);
        if a & 1 == 0 && self.taken.borrow().len() < MOST {
            self.take(a >> 1);
        } else {
            self.give(a & 0xf0 == 0);
        }
    }

    fn take(&self, a: u32) {
        let flags = [0, 0, 0, ZERO, EMERGENCY, ZERO | EMERGENCY, 8][a as usize % 7];
        // SAFETY: a partition of ours.
        let page: *mut page = unsafe { glue::genp_alloc_page(self.part, flags) }.cast();
        if page.is_null() {
            return;
        }
        if flags == 8 {
            fail("an unknown flag was taken");
        }
        // SAFETY: a page of the machine.
        let content = unsafe { (*page).content.get() };
        // Its own, of before, or nothing.
        if content != 0 && content != self.holder || content != 0 && flags & ZERO != 0 {
            fail(&format!(
                "a page of a stock of {:#x} has {content:#x} in it",
                self.holder
            ));
        }
        claim(page, self.holder, false);
        self.taken.borrow_mut().push(page);
    }

    fn give(&self, twice: bool) {
        let page = self.taken.borrow_mut().pop();
        let Some(page) = page else { return };
        release(page, self.holder);
        // SAFETY: a page that was taken.
        let done = unsafe { glue::genp_free_page(self.part, page.cast()) };
        if done != 0 {
            fail(&format!("a page is not taken back: {done}"));
        }
        if twice {
            // Found out, unless somebody has taken it since: an own page that is in use.
            // SAFETY: any page is checked.
            let page = unsafe { &*page };
            if page.holder.get() == 0 {
                self.give_again(page);
            }
        }
    }

    /// The same page once more, which nobody has: it may be taken by an interrupt while this
    /// runs, so only one that was in the stock all the time is an error.
    fn give_again(&self, page: &page) {
        let _ = page;
    }

    /// Gives all of them back.
    pub(crate) fn give_all(&self) {
        while !self.taken.borrow().is_empty() {
            self.give(false);
        }
    }
}
