// SPDX-License-Identifier: GPL-2.0

//! The current task: who it is, and how it sleeps.

use core::ptr::NonNull;

use kernel::bindings;

use super::glue;

/// A task that can be woken.
pub(crate) struct Sleeper(NonNull<bindings::task_struct>);

// SAFETY: holds a reference to a task, which may be used from any thread.
unsafe impl Send for Sleeper {}
// SAFETY: as above; waking is safe from several threads at once.
unsafe impl Sync for Sleeper {}

impl Sleeper {
    /// The current task. Context: thread.
    pub(crate) fn current() -> Option<Self> {
        // SAFETY: there is a current task in thread context.
        NonNull::new(unsafe { glue::genp_task_get_current() }).map(Self)
    }

    /// Wakes it. Context: any but NMI, raw locks held.
    pub(crate) fn wake(&self) {
        // SAFETY: we hold a reference to the task.
        unsafe { glue::genp_task_wake(self.0.as_ptr()) }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // SAFETY: gives up the reference taken in `current`.
        unsafe { glue::genp_task_put(self.0.as_ptr()) }
    }
}

/// Why [`wait_until`] returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// What was waited for is there.
    Ready,
    /// The deadline passed.
    Timeout,
    /// A signal is pending.
    Signal,
}

/// Sleeps until `ready` says so, woken by [`Sleeper::wake`], or until the deadline
/// in CLOCK_MONOTONIC nanoseconds, or until a signal. `ready` may take raw locks
/// and nothing that sleeps. Context: thread.
pub(crate) fn wait_until(deadline: u64, mut ready: impl FnMut() -> bool) -> Woken {
    let mut timeout = false;
    loop {
        // SAFETY: we may sleep, and end in `genp_finish_sleep` below.
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
        // SAFETY: we may sleep, and the state is set.
        timeout = unsafe { glue::genp_sleep(deadline) };
    }
}

/// The effective priority of the current task: the lower the more urgent.
pub(crate) fn current_prio() -> i32 {
    // SAFETY: thread context.
    unsafe { glue::genp_current_prio() }
}

/// The effective user id, as the initial user namespace numbers it.
pub(crate) fn current_euid() -> u32 {
    // SAFETY: thread context.
    unsafe { glue::genp_current_euid() }
}

/// The effective group id, as the initial user namespace numbers it.
pub(crate) fn current_egid() -> u32 {
    // SAFETY: thread context.
    unsafe { glue::genp_current_egid() }
}

/// Whether the current task is in a group of the initial user namespace.
pub(crate) fn in_group(gid: u32) -> bool {
    // SAFETY: thread context.
    unsafe { glue::genp_in_group(gid) }
}

/// Whether the current task has CAP_SYS_RESOURCE in the initial user namespace.
pub(crate) fn may_exceed() -> bool {
    // SAFETY: thread context.
    unsafe { glue::genp_capable_resource() }
}

/// Lets others run if they should. Context: thread, may sleep.
pub(crate) fn yield_now() {
    // SAFETY: thread context, may sleep by this function's own condition.
    unsafe { glue::genp_cond_resched() }
}
