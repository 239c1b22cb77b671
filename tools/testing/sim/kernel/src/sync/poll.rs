// SPDX-License-Identifier: GPL-2.0

//! Queues of those who wait for news.

use core::{cell::UnsafeCell, marker::PhantomData};

use super::lock::{Backend, Guard};
use crate::{bindings::poll_table_struct, fs::File, sim, sim::task::task_struct};

/// A queue. On PREEMPT_RT its lock sleeps.
pub struct PollCondVar {
    name: &'static str,
    tasks: UnsafeCell<Vec<*mut task_struct>>,
}

/// The queue under whose lock any number may be woken, and who must not wait for that.
const CROWD: &str = "genp_crowd";
const PROMPT: &str = "genp_notify";

// SAFETY: tasks are switched between at points alone.
unsafe impl Send for PollCondVar {}
// SAFETY: as above.
unsafe impl Sync for PollCondVar {}

impl PollCondVar {
    /// An empty one.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            tasks: UnsafeCell::default(),
        }
    }

    /// What is in it, after its lock was taken.
    fn queue(&self) -> &mut Vec<*mut task_struct> {
        let is_prompt = || {
            sim::machine()
                .task()
                .is_some_and(|task| task.name == PROMPT)
        };
        if self.name == CROWD && is_prompt() {
            sim::fail(&format!("{PROMPT} takes the lock of {CROWD}"));
        }
        self.unlocked()
    }

    #[allow(clippy::mut_from_ref)]
    fn unlocked(&self) -> &mut Vec<*mut task_struct> {
        // SAFETY: used between two points.
        unsafe { &mut *self.tasks.get() }
    }

    /// Whether there are any, without its lock.
    pub fn has_any(&self) -> bool {
        sim::point();
        !self.unlocked().is_empty()
    }

    /// Wakes those who are in it now, one at a time.
    pub fn wake_in_pieces(&self) {
        let machine = sim::machine();
        machine.might_sleep("a wait queue");
        for task in self.queue().clone() {
            sim::point();
            let at = self.queue().iter().position(|other| *other == task);
            if let Some(at) = at {
                self.queue().remove(at);
                machine.wake(task);
            }
        }
    }

    /// How many are in it.
    pub fn count(&self) -> usize {
        sim::point();
        self.queue().len()
    }

    /// Waits without the lock; whether a signal is pending.
    pub fn wait_interruptible<T: ?Sized, B: Backend>(&self, guard: &mut Guard<'_, T, B>) -> bool {
        let machine = sim::machine();
        let me = machine.current();
        machine.prepare_sleep(true);
        self.queue().push(me);
        guard.do_unlocked(|| machine.sleep_until(u64::MAX));
        self.queue().retain(|task| *task != me);
        machine.signal_pending()
    }

    /// Wakes all, under its lock. Context: thread.
    pub fn notify_all(&self) {
        let machine = sim::machine();
        machine.might_sleep("a wait queue");
        if self.name == CROWD {
            sim::fail(&format!("all of {CROWD} are woken at once"));
        }
        let waiting = std::mem::take(self.queue());
        for task in waiting {
            machine.wake(task);
        }
    }
}

/// What poll() is called with.
pub struct PollTable<'a>(*mut poll_table_struct, PhantomData<&'a ()>);

impl PollTable<'_> {
    /// From what C passes.
    pub unsafe fn from_raw(table: *mut poll_table_struct) -> Self {
        Self(table, PhantomData)
    }

    /// Has the caller woken by the queue.
    pub fn register_wait(&self, _file: &File, queue: &PollCondVar) {
        sim::point();
        if !self.0.is_null() {
            let me = sim::machine().current();
            if !queue.queue().contains(&me) {
                queue.queue().push(me);
            }
        }
    }
}
