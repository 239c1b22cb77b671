// SPDX-License-Identifier: GPL-2.0

//! Interrupts: the irq_work of the module, and handlers of drivers.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{fail, machine, task::task_struct};

/// What an interrupt handler of a driver does. It is told whether this is an NMI.
pub type Handler = Rc<dyn Fn(bool)>;

/// The interrupts of the machine.
#[derive(Default)]
pub struct Interrupts {
    /// What the irq_work wakes.
    waker: Cell<usize>,
    pending: Cell<bool>,
    handlers: RefCell<Vec<(u64, Handler)>>,
    /// Runs of each handler that are not over.
    running: RefCell<Vec<u64>>,
}

unsafe extern "C" {
    fn genp_waker_wake(waker: *mut core::ffi::c_void);
}

impl Interrupts {
    pub(crate) fn set_work(&self, waker: *mut core::ffi::c_void) {
        self.waker.set(waker as usize);
    }

    /// Queues the irq_work. Context: any.
    pub(crate) fn queue_work(&self) {
        self.pending.set(true);
    }

    pub(crate) fn is_work_pending(&self) -> bool {
        self.pending.get()
    }

    /// Runs the irq_work if it is queued.
    pub(crate) fn run_pending_work(&self) -> bool {
        if !self.pending.replace(false) {
            return false;
        }
        let waker = self.waker.get();
        if waker == 0 {
            fail("an irq_work without a waker");
        }
        let me = machine().task();
        let before = me.map(|me| enter(me, false));
        // SAFETY: what `genp_irq_work_set` was called with, which waits for this before it
        // is gone.
        unsafe { genp_waker_wake(waker as *mut core::ffi::c_void) };
        if let (Some(me), Some(before)) = (me, before) {
            leave(me, false, before);
        }
        true
    }

    /// Has a handler called now and then, until it is removed.
    pub fn add_handler(&self, key: u64, handler: Handler) {
        self.handlers.borrow_mut().push((key, handler));
    }

    /// Removes a handler, and waits for its last run. Context: thread, may sleep.
    pub fn remove_handler(&self, key: u64) {
        self.handlers
            .borrow_mut()
            .retain(|(other, _)| *other != key);
        while self.running.borrow().contains(&key) {
            machine().sleep_for(1_000);
        }
    }

    /// An interrupt, or an NMI, on the processor of this task.
    pub(crate) fn strike(&self, me: &task_struct) {
        let rng = machine().rng();
        let nmi = rng.one_in(2);
        if me.in_nmi.get() || (!nmi && (me.irqs_off.get() > 0 || me.in_irq.get())) {
            return;
        }
        let (key, handler) = {
            let handlers = self.handlers.borrow();
            if handlers.is_empty() {
                return;
            }
            let (key, handler) = &handlers[rng.below(handlers.len() as u64) as usize];
            (*key, handler.clone())
        };
        machine().interrupted.set(machine().interrupted.get() + 1);
        self.running.borrow_mut().push(key);
        let before = enter(me, nmi);
        handler(nmi);
        leave(me, nmi, before);
        let mut running = self.running.borrow_mut();
        if let Some(at) = running.iter().position(|other| *other == key) {
            running.swap_remove(at);
        }
    }
}

type Before = (bool, bool, u32);

fn enter(me: &task_struct, nmi: bool) -> Before {
    let before = (me.in_irq.get(), me.in_nmi.get(), me.pinned.get());
    me.pinned.set(me.pinned.get() + 1);
    me.irqs_off.set(me.irqs_off.get() + 1);
    if nmi {
        me.in_nmi.set(true);
    } else {
        me.in_irq.set(true);
    }
    before
}

fn leave(me: &task_struct, _nmi: bool, before: Before) {
    me.in_irq.set(before.0);
    me.in_nmi.set(before.1);
    me.pinned.set(me.pinned.get() - 1);
    me.irqs_off.set(me.irqs_off.get() - 1);
    if me.pinned.get() != before.2 {
        fail("an interrupt left preemption off");
    }
}

impl super::Machine {
    /// The handlers of drivers.
    pub fn handlers(&self) -> &Interrupts {
        &self.interrupts
    }

    /// Whether the current task is in an interrupt or an NMI.
    pub fn in_interrupt(&self) -> bool {
        self.task()
            .is_some_and(|me| me.in_irq.get() || me.in_nmi.get())
    }
}
