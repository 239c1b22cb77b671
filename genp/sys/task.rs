// SPDX-License-Identifier: GPL-2.0

//! The current task: its identity, and how it sleeps.

use kernel::{bindings, current, sync::aref::ARef, task::Task};

use super::glue;

/// A reference to the current task, to wake it by. Context: thread.
pub(crate) fn current() -> ARef<Task> {
    let task: &Task = current!();
    task.into()
}

/// Why [`wait_until`] returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The condition is true.
    Ready,
    /// The deadline passed.
    Timeout,
    /// A signal is pending.
    Signal,
}

/// Sleeps until `ready` returns true, which is checked at each [`Task::wake_up`], or until
/// the deadline in CLOCK_MONOTONIC nanoseconds, or until a signal. `ready` may take raw
/// locks and must not sleep. Context: thread.
pub(crate) fn wait_until(deadline: u64, mut ready: impl FnMut() -> bool) -> Woken {
    let mut timeout = false;
    // loop-bound: wakeups + 1
    loop {
        // SAFETY: may sleep; ended by `genp_finish_sleep` below.
        unsafe { glue::genp_prepare_sleep(true) };
        // After the state is set, so a wake-up from here on is not lost.
        let woken = if ready() {
            Some(Woken::Ready)
        } else if timeout {
            Some(Woken::Timeout)
        // SAFETY: thread context.
        } else if unsafe { glue::genp_signal_pending() } {
            Some(Woken::Signal)
        } else {
            None
        };
        if let Some(woken) = woken {
            // SAFETY: ends what genp_prepare_sleep began.
            unsafe { glue::genp_finish_sleep() };
            return woken;
        }
        // SAFETY: may sleep, and the state is set.
        timeout = unsafe { glue::genp_sleep(deadline) };
    }
}

/// The effective priority of the current task: lower is more urgent.
pub(crate) fn current_prio() -> i32 {
    // SAFETY: thread context.
    unsafe { glue::genp_current_prio() }
}

/// The effective user id in the initial user namespace.
pub(crate) fn current_euid() -> u32 {
    // SAFETY: thread context.
    unsafe { glue::genp_current_euid() }
}

/// The effective group id in the initial user namespace.
pub(crate) fn current_egid() -> u32 {
    // SAFETY: thread context.
    unsafe { glue::genp_current_egid() }
}

/// The number of a user of the initial user namespace in that of the current task; `None`
/// if it has none there. Context: thread.
pub(crate) fn uid_here(uid: u32) -> Option<u32> {
    const NONE: u32 = u32::MAX;

    // SAFETY: thread context.
    match unsafe { glue::genp_uid_here(uid) } {
        NONE => None,
        uid => Some(uid),
    }
}

/// A process, by its identity: it may have ended.
pub(crate) struct Creator(*mut bindings::pid);

// SAFETY: a reference that any thread may use and give up.
unsafe impl Send for Creator {}
// SAFETY: what is done through a shared reference only reads what the kernel protects.
unsafe impl Sync for Creator {}

impl Creator {
    /// The process of the current task. Context: thread.
    pub(crate) fn current() -> Self {
        // SAFETY: thread context.
        Self(unsafe { glue::genp_creator_get() })
    }

    /// Its number in the pid namespace of the current task; 0 if it has none there, or has
    /// ended. Context: thread.
    pub(crate) fn number_here(&self) -> u32 {
        // SAFETY: we have a reference to it.
        unsafe { glue::genp_creator_here(self.0) }
    }
}

impl Drop for Creator {
    fn drop(&mut self) {
        // SAFETY: gives up the reference from `current`.
        unsafe { glue::genp_creator_put(self.0) }
    }
}

/// Whether the current task is in a group of the initial user namespace.
pub(crate) fn in_group(gid: u32) -> bool {
    // SAFETY: thread context.
    unsafe { glue::genp_in_group(gid) }
}

/// Whether file modes do not bind the current task: CAP_DAC_OVERRIDE in the initial user
/// namespace. Context: thread.
pub(crate) fn may_override_modes() -> bool {
    // SAFETY: thread context.
    unsafe { glue::genp_capable_override() }
}

/// Whether ceilings do not bind the current task: CAP_SYS_RESOURCE in the initial user
/// namespace. Context: thread.
pub(crate) fn may_exceed() -> bool {
    // SAFETY: thread context.
    unsafe { glue::genp_capable_resource() }
}

/// Reschedules if another task should run. Context: thread, may sleep.
pub(crate) fn yield_now() {
    // SAFETY: thread context, may sleep, by the condition on the caller.
    unsafe { glue::genp_cond_resched() }
}
