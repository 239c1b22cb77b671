// SPDX-License-Identifier: GPL-2.0

//! Who runs, and for how long.

use corosensei::{stack::DefaultStack, Coroutine};

use super::{
    fail,
    machine::{Machine, CPUS},
    task::{task_struct, Intent, State},
    trace,
};

/// Happenings after which a case is taken to be hanging.
const HANGING: u64 = 20_000_000;
const STACK: usize = 512 << 10;

/// Ends the sleep of a task, or the one that it is about to begin.
fn rouse(task: &task_struct) {
    if task.ended.get() {
        return;
    }
    task.intent.set(Intent::Run);
    if task.state.get() == State::Asleep {
        task.state.set(State::Ready);
    }
}

impl Machine {
    /// Makes a task that does `work` when it is first woken.
    pub fn spawn(
        &self,
        name: &str,
        kthread: bool,
        work: impl FnOnce() + 'static,
    ) -> *mut task_struct {
        // SAFETY: nobody holds the slice across this.
        let tasks = unsafe { &mut *self.tasks.get() };
        let task = Box::new(task_struct::new(name, tasks.len(), kthread));
        let at: *const task_struct = &*task;
        let stack = self.stacks.borrow_mut().pop();
        let stack = stack.unwrap_or_else(|| DefaultStack::new(STACK).expect("a stack"));
        let body = Coroutine::with_stack(stack, move |yielder, ()| {
            // SAFETY: tasks live as long as the machine.
            unsafe { (*at).yielder.set(yielder) };
            work();
            super::machine().check_at_rest();
        });
        *task.body.borrow_mut() = Some(body);
        task.rank.set(self.rng.draw());
        tasks.push(task);
        at.cast_mut()
    }

    /// Lets a new task begin.
    pub fn start(&self, task: *mut task_struct) {
        // SAFETY: as above.
        unsafe { (*task).state.set(State::Ready) };
    }

    /// Runs until every task but those of the kernel has ended.
    pub fn run(&self) {
        self.refuel();
        loop {
            match self.next() {
                Some(task) => self.resume(task),
                None if self.idle() => {}
                None if self
                    .tasks()
                    .iter()
                    .all(|task| task.kthread || task.ended.get()) =>
                {
                    break
                }
                None => self.deadlock(),
            }
        }
        super::refuel(u32::MAX);
    }

    fn deadlock(&self) -> ! {
        let mut text = String::from("nothing can run any more, a lock or a wake-up is lost:");
        for task in self.tasks().iter().filter(|task| !task.ended.get()) {
            text += &format!(
                "\n  {} ({}): {:?}, holds {:?}",
                task.name,
                task.doing.get(),
                task.state.get(),
                task.held.borrow().names()
            );
        }
        fail(&text)
    }

    /// Something for an idle machine to do; false if there is nothing.
    fn idle(&self) -> bool {
        if self.interrupts.run_pending_work() {
            return true;
        }
        self.settle();
        let alarm = self.alarm.get();
        if alarm == u64::MAX {
            return false;
        }
        self.now.set(self.now.get().max(alarm));
        self.ring();
        true
    }

    /// Wakes those whose deadline has passed.
    pub(crate) fn ring(&self) {
        let now = self.now.get();
        let mut alarm = u64::MAX;
        for task in self.tasks() {
            if task.state.get() != State::Asleep {
                continue;
            }
            match task.deadline.get() {
                deadline if deadline <= now => task.state.set(State::Ready),
                deadline => alarm = alarm.min(deadline),
            }
        }
        self.alarm.set(alarm);
    }

    /// Whether a task can run: on its processor, if it cannot leave that, or else on any.
    fn can_run(&self, task: &task_struct) -> bool {
        if task.state.get() != State::Ready {
            return false;
        }
        if task.pinned.get() > 0 {
            return true;
        }
        self.pinned_to[..self.plan.cpus as usize]
            .iter()
            .any(|cpu| cpu.get().is_null())
    }

    fn next(&self) -> Option<&task_struct> {
        let mut best: Option<&task_struct> = None;
        let mut seen = 0;
        for task in self.tasks() {
            if !self.can_run(task) {
                continue;
            }
            seen += 1;
            let better = match best {
                None => true,
                Some(best) if self.plan.strict => task.rank.get() < best.rank.get(),
                Some(_) => self.rng.one_in(seen),
            };
            if better {
                best = Some(task);
            }
        }
        best
    }

    fn resume(&self, task: &task_struct) {
        if task.pinned.get() > 0 {
            self.pinned_to[task.cpu.get() as usize].set(core::ptr::null());
        } else {
            self.place(task);
        }
        self.switches.set(self.switches.get() + 1);
        self.current.set(task);
        if trace::enabled() {
            trace::switch(task);
        }
        let ended = {
            let mut body = task.body.borrow_mut();
            let Some(body) = body.as_mut() else {
                fail("a task without a body");
            };
            matches!(body.resume(()), corosensei::CoroutineResult::Return(()))
        };
        self.current.set(core::ptr::null());
        if ended {
            let body = task.body.borrow_mut().take();
            self.stacks
                .borrow_mut()
                .extend(body.map(Coroutine::into_stack));
            task.ended.set(true);
            task.state.set(State::Gone);
            self.rest(task);
            self.unblock(State::Joining(core::ptr::from_ref(task) as usize));
        } else if task.pinned.get() > 0 {
            self.pinned_to[task.cpu.get() as usize].set(task);
        }
    }

    /// Puts a task on a free processor, now and then on another one than before.
    fn place(&self, task: &task_struct) {
        let cpus = (self.plan.cpus as usize).min(CPUS);
        let first = match self.rng.one_in(4) {
            true => self.rng.below(cpus as u64) as usize,
            false => task.cpu.get() as usize,
        };
        for at in 0..cpus {
            let cpu = (first + at) % cpus;
            if self.pinned_to[cpu].get().is_null() {
                task.cpu.set(cpu as u32);
                return;
            }
        }
    }

    /// Lets others run.
    fn suspend(&self) {
        let Some(me) = self.task() else { return };
        // SAFETY: set when the task began, for as long as it runs.
        unsafe { (*me.yielder.get()).suspend(()) };
    }

    /// Has the current task not run until its state is changed.
    pub(crate) fn block(&self, state: State) {
        let Some(me) = self.task() else {
            fail("nobody is there to wait");
        };
        me.state.set(state);
        if state == State::Asleep {
            self.rest(me);
        }
        self.suspend();
    }

    /// Lets those who are in this state run.
    pub(crate) fn unblock(&self, state: State) {
        for task in self.tasks().iter().filter(|task| task.state.get() == state) {
            task.state.set(State::Ready);
        }
    }

    fn refuel(&self) {
        let gap = 1 + self.rng.below(2 * u64::from(self.plan.grain));
        super::refuel(gap as u32);
    }

    /// Something happens at this point.
    #[cold]
    #[inline(never)]
    pub(crate) fn happening(&self) {
        self.refuel();
        self.happenings.set(self.happenings.get() + 1);
        if self.happenings.get() > HANGING {
            fail("the case does not end");
        }
        let Some(me) = self.task() else { return };
        let plan = &self.plan;
        self.pass(self.rng.below(2_000));
        if plan.leaps > 0 && self.rng.one_in(plan.leaps) {
            self.pass(1 << self.rng.below(25));
        }
        if plan.interrupts > 0 && self.rng.one_in(plan.interrupts) {
            self.interrupts.strike(me);
        }
        if me.irqs_off.get() == 0 && !me.in_nmi.get() && self.rng.one_in(2) {
            self.interrupts.run_pending_work();
        }
        if plan.spurious > 0 && self.rng.one_in(plan.spurious) {
            let tasks = self.tasks();
            let task = &tasks[self.rng.below(tasks.len() as u64) as usize];
            rouse(task);
        }
        if plan.strict && self.rng.one_in(8) {
            me.rank.set(self.rng.draw());
        }
        self.suspend();
    }

    /// Wakes a task if it sleeps, or is about to. Context: any but NMI.
    pub fn wake(&self, task: *mut task_struct) {
        if self.task().is_some_and(|me| me.in_nmi.get()) {
            fail("a task is woken in an NMI");
        }
        // SAFETY: tasks live as long as the machine.
        rouse(unsafe { &*task });
    }

    /// Announces a sleep.
    pub fn prepare_sleep(&self, interruptible: bool) {
        super::point();
        if let Some(me) = self.task() {
            me.intent.set(match interruptible {
                true => Intent::Interruptible,
                false => Intent::Idle,
            });
        }
        super::point();
    }

    /// Does not sleep after all.
    pub fn finish_sleep(&self) {
        if let Some(me) = self.task() {
            me.intent.set(Intent::Run);
        }
    }

    /// Sleeps unless a wake-up came since it was announced; whether the deadline passed.
    pub fn sleep_until(&self, deadline: u64) -> bool {
        self.might_sleep("a sleep");
        super::point();
        let Some(me) = self.task() else {
            fail("nobody is there to sleep");
        };
        let interrupted = me.intent.get() == Intent::Interruptible && me.signal.get();
        if me.intent.get() == Intent::Run || interrupted {
            me.intent.set(Intent::Run);
            return false;
        }
        if deadline <= self.now.get() {
            me.intent.set(Intent::Run);
            return true;
        }
        me.deadline.set(deadline);
        self.alarm.set(self.alarm.get().min(deadline));
        self.block(State::Asleep);
        let woken = me.intent.get() == Intent::Run;
        me.intent.set(Intent::Run);
        !woken
    }

    /// Sleeps for a time.
    pub fn sleep_for(&self, ns: u64) {
        let until = self.now.get() + ns;
        while self.now.get() < until {
            self.prepare_sleep(false);
            self.sleep_until(until);
        }
    }

    /// Whether a signal is pending for the current task.
    pub fn signal_pending(&self) -> bool {
        self.task().is_some_and(|me| me.signal.get())
    }

    /// Sends a signal.
    pub fn signal(&self, task: *mut task_struct) {
        // SAFETY: tasks live as long as the machine.
        let task = unsafe { &*task };
        let sleeps =
            task.state.get() == State::Asleep && task.intent.get() == Intent::Interruptible;
        if !task.signal.replace(true) {
            task.overslept.set(if sleeps { self.settled() } else { 0 });
        }
        if sleeps {
            task.intent.set(Intent::Run);
            task.state.set(State::Ready);
        }
    }

    /// Waits for the end of a task.
    pub fn join(&self, task: *mut task_struct) {
        self.might_sleep("waiting for a task");
        // SAFETY: as above.
        while !unsafe { (*task).ended.get() } {
            self.block(State::Joining(task as usize));
        }
    }
}
