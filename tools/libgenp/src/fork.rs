// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a forked child changes before other code of the library runs there. The modules
//! with something to change say so here, because this one is below all of them.

use std::{
    ptr,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

use crate::process;

/// The steps of a forked child, in their order.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Its only thread has another ID and no slot.
    Threads,
    /// No heap has a block.
    Heaps,
    /// All partitions are its parent's.
    Partitions,
}

/// The function of each step. Without a lock, which a fork in another thread would leave
/// to the child for good.
static STEPS: [AtomicPtr<fn()>; Step::Partitions as usize + 1] =
    [const { AtomicPtr::new(ptr::null_mut()) }; Step::Partitions as usize + 1];

/// Sets the function of a step. Context: before there is anything for it to change.
pub(crate) fn set_step(step: Step, function: &'static fn()) {
    // Relaxed: it points to what never changes. What there is to change is published by
    // later stores, with Release.
    STEPS[step as usize].store(ptr::from_ref(function).cast_mut(), Ordering::Relaxed);
}

/// Whether the handler is installed. Set afterwards, so that nobody relies on one that is
/// still being installed.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Makes forked children take the steps; false if there is no memory for that. Threads that
/// come at once install it once each, which does no harm: it is for what can be done
/// again.
pub(crate) fn install() -> bool {
    // Relaxed: nothing else is published with it.
    if !INSTALLED.load(Ordering::Relaxed) {
        // SAFETY: may be called at any time.
        let error = unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
        INSTALLED.store(error == 0, Ordering::Relaxed);
        return error == 0;
    }
    true
}

/// In a forked child, which has one thread.
extern "C" fn after_fork() {
    process::note_fork();
    for step in &STEPS {
        // SAFETY: null, or set by `set_step` to what is there for good.
        if let Some(function) = unsafe { step.load(Ordering::Relaxed).as_ref() } {
            function();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Process;

    /// Also where something else fails whenever it is installed, such as a key.
    #[test]
    fn it_is_installed_once() {
        const TIMES: u32 = 1000;
        for _ in 0..TIMES {
            assert!(install());
        }
        let before = Process::current().forks();
        // SAFETY: the child takes no lock that another thread may hold.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let steps = Process::current().forks() - before;
            // SAFETY: has no precondition. Other threads of this test may have come at once.
            unsafe { libc::_exit(i32::from(steps == 0 || steps > TIMES / 10)) };
        }
        let mut status = -1;
        // SAFETY: `status` may be written.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}
