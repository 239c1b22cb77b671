// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a forked child changes before other code of the library runs there. The modules
//! with something to change say so here, because this one is below all of them.

use std::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
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

/// Makes forked children take the steps. To install it twice does no harm.
pub(crate) fn install() {
    // SAFETY: may be called at any time.
    unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
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
