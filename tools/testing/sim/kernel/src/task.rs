// SPDX-License-Identifier: GPL-2.0

//! Tasks as the kernel's crate has them.

use core::{ops::Deref, ptr::NonNull};

use crate::{
    mm::MmWithUser,
    sim::{self, task::task_struct},
    sync::aref::AlwaysRefCounted,
};

/// A task.
#[repr(transparent)]
pub struct Task(task_struct);

/// The current task.
#[repr(transparent)]
pub struct CurrentTask(Task);

/// The current task.
pub fn current() -> &'static CurrentTask {
    // SAFETY: transparent; tasks live as long as the machine.
    unsafe { &*sim::machine().current().cast::<CurrentTask>() }
}

impl Task {
    /// Wakes it.
    pub fn wake_up(&self) {
        sim::point();
        sim::machine().wake(core::ptr::from_ref(&self.0).cast_mut());
        sim::point();
    }
}

impl Deref for CurrentTask {
    type Target = Task;

    fn deref(&self) -> &Task {
        &self.0
    }
}

impl CurrentTask {
    /// Its address space; a thread of the kernel has none.
    pub fn mm(&self) -> Option<&MmWithUser> {
        let process = self.0 .0.process()?;
        Some(MmWithUser::of(&process.mm))
    }
}

// SAFETY: tasks count their references.
unsafe impl AlwaysRefCounted for Task {
    fn inc_ref(&self) {
        self.0.users.set(self.0.users.get() + 1);
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: tasks live as long as the machine.
        let task = unsafe { obj.as_ref() };
        task.0.users.set(task.0.users.get() - 1);
        // The last reference frees memory, which may sleep.
        sim::machine().might_sleep("giving up a task");
    }
}
