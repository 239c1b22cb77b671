// SPDX-License-Identifier: GPL-2.0

//! Queues of those who wait for news.

use core::{cell::UnsafeCell, marker::PhantomData};

use super::lock::{Backend, Guard};
use crate::{bindings::poll_table_struct, fs::File, sim, sim::task::task_struct};

/// A queue. On PREEMPT_RT its lock sleeps.
#[derive(Default)]
pub struct PollCondVar(UnsafeCell<Vec<*mut task_struct>>);

// SAFETY: tasks are switched between at points alone.
unsafe impl Send for PollCondVar {}
// SAFETY: as above.
unsafe impl Sync for PollCondVar {}

impl PollCondVar {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    #[allow(clippy::mut_from_ref)]
    fn queue(&self) -> &mut Vec<*mut task_struct> {
        // SAFETY: used between two points.
        unsafe { &mut *self.0.get() }
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

    /// Wakes all. Context: thread.
    pub fn notify_all(&self) {
        let machine = sim::machine();
        machine.might_sleep("a wait queue");
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
