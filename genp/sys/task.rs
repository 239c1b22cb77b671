// SPDX-License-Identifier: GPL-2.0

//! The current task: who it is, and how it sleeps.

use kernel::{current, sync::aref::ARef, task::Task};

use super::glue;

/// A reference to the current task, to wake it by. Context: thread.
pub(crate) fn current() -> ARef<Task> {
    let task: &Task = current!();
    task.into()
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

/// Sleeps until `ready` says so, woken by [`Task::wake_up`], or until the deadline
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
