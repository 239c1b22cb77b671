// SPDX-License-Identifier: GPL-2.0

//! Tasks: threads of processes, and threads of the kernel.

#![allow(non_camel_case_types)]

use core::cell::{Cell, RefCell};

use corosensei::{stack::DefaultStack, Coroutine, Yielder};

use super::{files::file, lockdep::Held, process::Process};

/// Why a task does not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It can run.
    Ready,
    /// It sleeps until a wake-up or a deadline.
    Asleep,
    /// It waits for a lock at this address.
    Blocked(usize),
    /// It waits for the end of a task at this address.
    Joining(usize),
    /// It has ended, or was not started yet.
    Gone,
}

/// What a task announced with `prepare_sleep`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    /// It runs.
    Run,
    /// A signal ends the sleep.
    Interruptible,
    /// Only a wake-up does.
    Idle,
}

type Body = Coroutine<(), (), (), DefaultStack>;

/// A task.
pub struct task_struct {
    /// Its name.
    pub name: String,
    /// Its place in the table of tasks.
    pub index: usize,
    pub(crate) body: RefCell<Option<Body>>,
    pub(crate) yielder: Cell<*const Yielder<(), ()>>,
    pub(crate) state: Cell<State>,
    pub(crate) intent: Cell<Intent>,
    pub(crate) deadline: Cell<u64>,
    /// The order in which tasks run in cases with strict priorities.
    pub(crate) rank: Cell<u64>,
    pub(crate) cpu: Cell<u32>,
    /// Reasons not to leave the processor.
    pub(crate) pinned: Cell<u32>,
    /// Reasons for interrupts to be off.
    pub(crate) irqs_off: Cell<u32>,
    pub(crate) in_irq: Cell<bool>,
    pub(crate) in_nmi: Cell<bool>,
    pub(crate) held: RefCell<Held>,
    /// It was woken once.
    pub(crate) started: Cell<bool>,
    pub(crate) ended: Cell<bool>,
    pub(crate) should_stop: Cell<bool>,
    pub(crate) signal: Cell<bool>,
    pub(crate) kthread: bool,
    /// References to it, beside that of the machine.
    pub(crate) users: Cell<i64>,
    /// The nice value or priority that the module sees.
    pub prio: Cell<i32>,
    /// The process it is a thread of.
    pub process: Cell<*const Process>,
    /// Files whose last reference it gave up, to be released when it leaves the kernel.
    pub(crate) to_release: RefCell<Vec<*mut file>>,
    /// Calls of the kernel until one fails with EFAULT; 0 for none.
    pub fault_in: Cell<u32>,
    /// The round in which it was last at rest.
    pub(crate) rested: Cell<u64>,
    /// When it got the signal that is pending, or the last one: what was announced to it
    /// before this time should have woken it. 0 if it was awake.
    pub overslept: Cell<u64>,
    /// What it is doing, for reports.
    pub doing: Cell<&'static str>,
}

impl task_struct {
    pub(crate) fn new(name: &str, index: usize, kthread: bool) -> Self {
        Self {
            name: name.into(),
            index,
            body: RefCell::new(None),
            yielder: Cell::new(core::ptr::null()),
            state: Cell::new(State::Gone),
            intent: Cell::new(Intent::Run),
            deadline: Cell::new(u64::MAX),
            rank: Cell::new(0),
            cpu: Cell::new(0),
            pinned: Cell::new(0),
            irqs_off: Cell::new(0),
            in_irq: Cell::new(false),
            in_nmi: Cell::new(false),
            held: RefCell::new(Held::default()),
            started: Cell::new(false),
            ended: Cell::new(false),
            should_stop: Cell::new(false),
            signal: Cell::new(false),
            kthread,
            users: Cell::new(0),
            prio: Cell::new(120),
            process: Cell::new(core::ptr::null()),
            to_release: RefCell::new(Vec::new()),
            fault_in: Cell::new(0),
            rested: Cell::new(0),
            overslept: Cell::new(0),
            doing: Cell::new(""),
        }
    }

    /// Forgets a signal that was handled.
    pub fn clear_signal(&self) {
        self.signal.set(false);
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether it sleeps until it is woken.
    pub fn is_asleep(&self) -> bool {
        self.state.get() == State::Asleep
    }

    /// The process it is a thread of.
    pub fn process(&self) -> Option<&Process> {
        // SAFETY: processes live as long as the machine.
        unsafe { self.process.get().as_ref() }
    }
}
