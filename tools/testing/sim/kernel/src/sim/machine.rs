// SPDX-License-Identifier: GPL-2.0

//! The machine, and what a case sets of it.

use core::cell::{Cell, RefCell, UnsafeCell};

use super::{
    context::Interrupts,
    fail,
    files::Files,
    memory::Memory,
    process::Processes,
    rng::Rng,
    rounds::Rounds,
    task::{task_struct, State},
};

/// The most processors.
pub const CPUS: usize = 4;

/// What a case sets.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Of all that happens at points.
    pub seed: u64,
    /// Processors, up to [`CPUS`].
    pub cpus: u32,
    /// About how many points lie between two happenings.
    pub grain: u32,
    /// Whether tasks run by a strict order, which changes now and then; at random otherwise.
    pub strict: bool,
    /// One allocation in so many fails; 0 for none.
    pub starve: u64,
    /// One interrupt in so many happenings; 0 for none.
    pub interrupts: u64,
    /// One leap of time in so many happenings; 0 for none.
    pub leaps: u64,
    /// One wake-up without a reason in so many happenings; 0 for none.
    pub spurious: u64,
}

/// The machine.
pub struct Machine {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    pub(crate) now: Cell<u64>,
    /// The earliest deadline of a sleeper.
    pub(crate) alarm: Cell<u64>,
    pub(crate) tasks: UnsafeCell<Vec<Box<task_struct>>>,
    pub(crate) current: Cell<*const task_struct>,
    /// Who cannot leave each processor, but does not run now.
    pub(crate) pinned_to: [Cell<*const task_struct>; CPUS],
    /// Allocations that were not freed.
    heap: Cell<i64>,
    /// Whether allocations may fail now.
    starving: Cell<bool>,
    pub(crate) interrupts: Interrupts,
    pub(crate) rounds: Rounds,
    /// Pages.
    pub memory: Memory,
    /// Files.
    pub files: Files,
    /// Processes.
    pub processes: Processes,
    /// What the device was registered with.
    pub registered: Cell<*mut core::ffi::c_void>,
    /// Happenings so far.
    pub happenings: Cell<u64>,
    /// Switches of tasks so far.
    pub switches: Cell<u64>,
    /// Allocations that were refused.
    pub refused: Cell<u64>,
    /// Interrupts, and NMIs.
    pub interrupted: Cell<u64>,
    /// Tasks that ended, whose stacks can be used again.
    pub(crate) stacks: RefCell<Vec<corosensei::stack::DefaultStack>>,
    /// Carveouts.
    pub range: crate::glue::genalloc::Range,
}

impl Machine {
    /// Makes the machine of this thread of the host anew.
    pub fn install(plan: Plan) -> &'static Self {
        let stacks = match super::MACHINE.get() {
            old if old.is_null() => Vec::new(),
            // SAFETY: made below, and used by nobody any longer.
            old => unsafe { Box::from_raw(old.cast_mut()) }.take_stacks(),
        };
        let machine = Box::new(Self {
            plan,
            rng: Rng::new(plan.seed),
            now: Cell::new(1_000_000_000),
            alarm: Cell::new(u64::MAX),
            tasks: UnsafeCell::new(Vec::new()),
            current: Cell::new(core::ptr::null()),
            pinned_to: [const { Cell::new(core::ptr::null()) }; CPUS],
            heap: Cell::new(0),
            starving: Cell::new(false),
            interrupts: Interrupts::default(),
            rounds: Rounds::default(),
            memory: Memory::default(),
            files: Files::default(),
            processes: Processes::default(),
            registered: Cell::new(core::ptr::null_mut()),
            happenings: Cell::new(0),
            switches: Cell::new(0),
            refused: Cell::new(0),
            interrupted: Cell::new(0),
            stacks: RefCell::new(stacks),
            range: Default::default(),
        });
        super::install(Box::into_raw(machine));
        super::refuel(u32::MAX);
        super::machine()
    }

    fn take_stacks(self: Box<Self>) -> Vec<corosensei::stack::DefaultStack> {
        self.stacks.take()
    }

    /// The random numbers of what happens.
    pub fn rng(&self) -> &Rng {
        &self.rng
    }

    /// The tasks. Valid until one is added.
    pub(crate) fn tasks(&self) -> &[Box<task_struct>] {
        // SAFETY: tasks are added by `spawn` alone, and nobody holds this across it.
        unsafe { &*self.tasks.get() }
    }

    /// The task that runs, if one does.
    pub fn task(&self) -> Option<&task_struct> {
        // SAFETY: tasks live as long as the machine.
        unsafe { self.current.get().as_ref() }
    }

    /// The task that runs.
    pub fn current(&self) -> *mut task_struct {
        self.current.get().cast_mut()
    }

    /// CLOCK_MONOTONIC.
    pub fn now(&self) -> u64 {
        self.now.get()
    }

    /// Lets time pass.
    pub fn pass(&self, ns: u64) {
        self.now.set(self.now.get() + ns);
        if self.now.get() >= self.alarm.get() {
            self.ring();
        }
    }

    /// Whether an allocation succeeds. Context: thread, may sleep.
    pub fn may_allocate(&self) -> bool {
        self.might_sleep("an allocation");
        super::point();
        let refuse =
            self.plan.starve > 0 && self.starving.get() && self.rng.one_in(self.plan.starve);
        if refuse {
            self.refused.set(self.refused.get() + 1);
        }
        !refuse
    }

    /// Lets allocations fail from here on, or no longer.
    pub fn starve(&self, on: bool) {
        self.starving.set(on);
    }

    pub(crate) fn count_heap(&self, more: i64) {
        self.heap.set(self.heap.get() + more);
        if more < 0 {
            // The kernel's free takes sleeping locks on PREEMPT_RT.
            self.might_sleep("a free");
        }
    }

    /// Allocations that were not freed.
    pub fn heap(&self) -> i64 {
        self.heap.get()
    }

    /// Complains if the current task may not sleep.
    pub fn might_sleep(&self, what: &str) {
        let Some(me) = self.task() else { return };
        if me.pinned.get() > 0 || me.irqs_off.get() > 0 || me.in_irq.get() || me.in_nmi.get() {
            fail(&format!(
                "{what}, where sleeping is not allowed; locks held: {:?}",
                me.held.borrow().names()
            ));
        }
    }

    /// Complains about what a task leaves behind when it leaves the kernel.
    pub fn check_at_rest(&self) {
        let Some(me) = self.task() else { return };
        if !me.held.borrow().names().is_empty() || me.pinned.get() > 0 || me.irqs_off.get() > 0 {
            fail(&format!(
                "a call returned with locks held: {:?}, preemption off {}",
                me.held.borrow().names(),
                me.pinned.get()
            ));
        }
        if me.state.get() != State::Ready {
            fail("a call returned in a state of sleep");
        }
    }
}
