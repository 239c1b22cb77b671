// SPDX-License-Identifier: GPL-2.0

//! Locks: raw spinlocks, mutexes, and those of address spaces.

#![allow(non_camel_case_types)]

use core::cell::Cell;

use super::{
    fail,
    lockdep::{self, Class},
    machine, point,
    task::{task_struct, State},
};

/// What both kinds of lock are.
pub struct Core {
    owner: Cell<*const task_struct>,
    waiters: Cell<u32>,
    class: Class,
}

/// A raw spinlock: with interrupts off.
pub type raw_spinlock_t = Core;
/// A mutex that sleeps.
pub type rt_mutex = Core;

impl Core {
    /// A free one.
    pub fn new(class: Class) -> Self {
        Self {
            owner: Cell::new(core::ptr::null()),
            waiters: Cell::new(0),
            class,
        }
    }

    fn address(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    fn acquire(&self, raw: bool) {
        let machine = machine();
        let Some(me) = machine.task() else {
            fail("a lock is taken outside of any task");
        };
        me.held.borrow().before(self.class, self.address(), raw);
        while !self.owner.get().is_null() {
            self.waiters.set(self.waiters.get() + 1);
            machine.block(State::Blocked(self.address()));
            self.waiters.set(self.waiters.get() - 1);
        }
        self.owner.set(me);
        me.held.borrow_mut().push(self.class, self.address(), raw);
    }

    fn release(&self) {
        let machine = machine();
        let Some(me) = machine.task() else {
            fail("a lock is given up outside of any task");
        };
        if !core::ptr::eq(self.owner.get(), me) || !me.held.borrow_mut().pop(self.address()) {
            fail(&format!(
                "{} is given up by a task that does not hold it",
                lockdep::name(self.class)
            ));
        }
        self.owner.set(core::ptr::null());
        if self.waiters.get() > 0 {
            machine.unblock(State::Blocked(self.address()));
        }
    }

    /// Takes a raw lock. Context: any but NMI.
    pub fn lock_raw(&self) {
        let Some(me) = machine().task() else {
            fail("a raw lock is taken outside of any task");
        };
        if me.in_nmi.get() {
            fail(&format!(
                "the raw lock {} is taken in an NMI",
                lockdep::name(self.class)
            ));
        }
        point();
        me.pinned.set(me.pinned.get() + 1);
        me.irqs_off.set(me.irqs_off.get() + 1);
        self.acquire(true);
        point();
    }

    /// Takes a raw lock if it is free.
    pub fn try_lock_raw(&self) -> bool {
        point();
        if !self.owner.get().is_null() {
            return false;
        }
        self.lock_raw();
        true
    }

    /// Gives a raw lock up.
    pub fn unlock_raw(&self) {
        point();
        self.release();
        if let Some(me) = machine().task() {
            me.irqs_off.set(me.irqs_off.get() - 1);
            me.pinned.set(me.pinned.get() - 1);
        }
        point();
    }

    /// Takes a mutex. Context: thread, may sleep.
    pub fn lock_mutex(&self) {
        machine().might_sleep("a mutex");
        point();
        self.acquire(false);
        point();
    }

    /// Takes a mutex if it is free.
    pub fn try_lock_mutex(&self) -> bool {
        machine().might_sleep("a mutex");
        point();
        if !self.owner.get().is_null() {
            return false;
        }
        // Nobody waits for a lock by trying it: that makes no order.
        let Some(me) = machine().task() else {
            return false;
        };
        self.owner.set(me);
        me.held.borrow_mut().push(self.class, self.address(), false);
        true
    }

    /// Gives a mutex up.
    pub fn unlock_mutex(&self) {
        point();
        self.release();
        point();
    }

    /// Complains unless the caller holds it.
    pub fn assert_held(&self) {
        let held = machine()
            .task()
            .is_some_and(|me| me.held.borrow().has(self.address()));
        if !held {
            fail(&format!("{} is not held", lockdep::name(self.class)));
        }
    }

    /// Whether nobody holds it.
    pub fn is_free(&self) -> bool {
        self.owner.get().is_null()
    }
}
