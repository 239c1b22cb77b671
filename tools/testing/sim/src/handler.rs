// SPDX-License-Identifier: GPL-2.0

//! Pages of a driver's stock, taken and given in threads, interrupts and NMIs.

use core::cell::RefCell;
use std::rc::Rc;

use kernel::{
    bindings::page,
    sim::{fail, machine},
};

use crate::{
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
            self.give();
        }
    }

    fn take(&self, a: u32) {
        let flags = [0, 0, 0, ZERO, EMERGENCY, ZERO | EMERGENCY, 8][a as usize % 7];
        let errors = machine().memory.known_errors();
        // SAFETY: a partition of ours.
        let page: *mut page = unsafe { glue::genp_alloc_page(self.part, flags) }.cast();
        if page.is_null() {
            return;
        }
        if flags == 8 {
            fail("an unknown flag was taken");
        }
        check_sound(page, errors);
        // SAFETY: a page of the machine.
        let content = unsafe { (*page).content.get() };
        // Its own, of before, or nothing.
        if content != 0 && (content != self.holder || flags & ZERO != 0) {
            fail(&format!(
                "a page of a stock of {:#x} has {content:#x} in it",
                self.holder
            ));
        }
        claim(page, self.holder, false);
        self.taken.borrow_mut().push(page);
    }

    fn give(&self) {
        let page = self.taken.borrow_mut().pop();
        let Some(page) = page else { return };
        release(page, self.holder);
        // SAFETY: a page that was taken.
        let done = unsafe { glue::genp_free_page(self.part, page.cast()) };
        if done != 0 {
            fail(&format!("a page is not taken back: {done}"));
        }
    }

    /// Gives all of them back.
    pub(crate) fn give_all(&self) {
        while !self.taken.borrow().is_empty() {
            self.give();
        }
    }
}

/// A page that was asked for when there were `errors` memory errors, all of them known: it
/// has none, unless there are more now.
pub(crate) fn check_sound(page: *mut page, errors: Option<u32>) {
    // SAFETY: a page of the machine.
    let poisoned = unsafe { (*page).is_poisoned() };
    if poisoned && errors == Some(machine().memory.errors.get()) {
        fail("a page with a memory error was given out");
    }
}

/// Takes a page that the module gave.
pub(crate) fn claim(page: *mut page, holder: u64, zeroed: bool) {
    // SAFETY: a page of the machine.
    let page = unsafe { &*page };
    if page.holder.get() != 0 {
        fail(&format!(
            "a page has two owners, {:#x} and {holder:#x}",
            page.holder.get()
        ));
    }
    if zeroed && page.content.get() != 0 {
        fail(&format!(
            "a page of {holder:#x} is not zeroed: {:#x}",
            page.content.get()
        ));
    }
    page.holder.set(holder);
    page.content.set(holder);
}

/// Gives a page up again, in which there must be what was written.
pub(crate) fn release(page: *mut page, holder: u64) {
    // SAFETY: a page of the machine.
    let page = unsafe { &*page };
    if page.holder.get() != holder || page.content.get() != holder {
        fail(&format!(
            "in a page of {holder:#x} there is {:#x}, and {:#x} has it",
            page.content.get(),
            page.holder.get()
        ));
    }
    page.holder.set(0);
}
