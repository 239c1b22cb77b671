// SPDX-License-Identifier: GPL-2.0

//! Kernel threads that sleep until a time or until their bell rings.

use core::ptr::NonNull;

use kernel::{
    bindings,
    error::{from_err_ptr, to_result},
    ffi::{c_int, c_void},
    prelude::*,
    str::CStr,
    sync::{
        atomic::{Acquire, Atomic, Full, Relaxed, Release},
        Arc,
    },
};

use super::glue;

/// What a thread does.
pub(crate) trait Worker: Send + Sync + 'static {
    /// Runs until [`ThreadContext::sleep_until`] says that the thread is to stop.
    fn run(&self, context: &ThreadContext);
}

/// Wakes a thread.
pub(crate) struct Waker {
    /// Whether it rang since the thread last looked.
    pending: Atomic<u32>,
    /// The thread, from its start until it is about to be stopped.
    task: Atomic<*mut bindings::task_struct>,
}

// SAFETY: the pointer is only used to wake a thread, whose life [`Thread`] extends
// beyond the last use, see `ring`.
unsafe impl Send for Waker {}
// SAFETY: as above.
unsafe impl Sync for Waker {}

impl Waker {
    /// A bell that wakes nobody yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Ok(Arc::new(
            Self {
                pending: Atomic::new(0),
                task: Atomic::new(core::ptr::null_mut()),
            },
            GFP_KERNEL,
        )?)
    }

    /// Whether the current task is the thread it wakes. Context: thread.
    pub(crate) fn is_own(&self) -> bool {
        // SAFETY: only compared.
        unsafe { glue::genp_is_current(self.task.load(Relaxed)) }
    }

    /// Lets the thread's next park return. Context: any but NMI, raw locks held.
    pub(crate) fn wake(&self) {
        // Full: what the thread shall see was written before. Pairs with the
        // xchg in `sleep_until`.
        if self.pending.xchg(1, Full) != 0 {
            return;
        }
        // Acquire: pairs with the store in `Thread::spawn`.
        let task = self.task.load(Acquire);
        if !task.is_null() {
            // SAFETY: a task lives until its [`Thread`] is dropped, which happens
            // when nobody rings any more: the device is gone and all files are
            // closed by then, and [`stop_all`] has stopped the workers that ring
            // each other's bells.
            unsafe { glue::genp_task_wake(task) };
        }
    }
}

/// The running thread's own side.
pub(crate) struct ThreadContext {
    waker: Arc<Waker>,
}

impl ThreadContext {
    /// Sleeps until the bell rings or until the deadline in CLOCK_MONOTONIC
    /// nanoseconds; false if the thread is to stop. Context: this thread.
    pub(crate) fn sleep_until(&self, deadline: u64) -> bool {
        loop {
            // SAFETY: this thread may sleep; ended below.
            unsafe { glue::genp_prepare_sleep(false) };
            // After the state is set, so no ring is lost. Full: pairs with `ring`.
            let pending =
                self.waker.pending.load(Relaxed) != 0 && self.waker.pending.xchg(0, Full) != 0;
            if pending || self.stopping() {
                // SAFETY: ends what genp_prepare_sleep began.
                unsafe { glue::genp_finish_sleep() };
                return !self.stopping();
            }
            // SAFETY: this thread may sleep, and its state is set.
            if unsafe { glue::genp_sleep(deadline) } {
                return !self.stopping();
            }
        }
    }

    /// Whether the thread is to stop.
    pub(crate) fn stopping(&self) -> bool {
        // SAFETY: this is a kthread.
        unsafe { glue::genp_thread_should_stop() }
    }

    /// Lets others run.
    pub(crate) fn yield_now(&self) {
        super::task::yield_now();
    }
}

/// What a thread is started with, type and all.
struct Start {
    work: Arc<dyn Worker>,
    context: ThreadContext,
}

/// Runs a thread.
///
/// # Safety
///
/// `data` comes from [`Thread::spawn`], whose thread this is.
unsafe extern "C" fn run(data: *mut c_void) -> c_int {
    // SAFETY: by the precondition, a leaked box that lives until the thread has
    // been joined.
    let start = unsafe { &*data.cast::<Start>() };
    start.work.run(&start.context);
    // kthread_stop() wants to find the thread.
    while !start.context.stopping() {
        start.context.sleep_until(u64::MAX);
    }
    0
}

/// A thread, with a reference to its task. Dropping it stops the thread, waits for
/// its end and gives the task up.
pub(crate) struct Thread {
    task: NonNull<bindings::task_struct>,
    start: NonNull<Start>,
    stopped: bool,
}

/// Stops threads that ring each other's bells; drop them afterwards. Context:
/// thread, may sleep.
pub(crate) fn stop_all<'a>(threads: impl Iterator<Item = &'a mut Thread>) {
    for thread in threads {
        thread.stop();
    }
}

// SAFETY: a task pointer that is valid until the drop, and a box.
unsafe impl Send for Thread {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Thread {}

impl Thread {
    /// Starts a thread, SCHED_FIFO of priority `fifo` if given. Context: thread,
    /// may sleep.
    pub(crate) fn spawn(
        name: &CStr,
        fifo: Option<i32>,
        work: Arc<dyn Worker>,
        waker: Arc<Waker>,
    ) -> Result<Self> {
        let context = ThreadContext {
            waker: waker.clone(),
        };
        let start = KBox::into_raw(KBox::new(Start { work, context }, GFP_KERNEL)?);
        // SAFETY: `run` takes what `start` points to; it lives until the join.
        let task = unsafe { glue::genp_thread_create(Some(run), start.cast(), name.as_char_ptr()) };
        let task = match from_err_ptr(task) {
            Ok(task) => task,
            Err(error) => {
                // SAFETY: no thread was made, so the box is ours again.
                drop(unsafe { KBox::from_raw(start) });
                return Err(error);
            }
        };
        // Neither is null: a box, and not an error pointer of kthread_run().
        let (Some(task), Some(start)) = (NonNull::new(task), NonNull::new(start)) else {
            return Err(EINVAL);
        };
        // SAFETY: the thread was not stopped yet, so its task is there.
        unsafe { glue::genp_task_get(task.as_ptr()) };
        let thread = Self {
            task,
            start,
            stopped: false,
        };
        if let Some(priority) = fifo {
            // SAFETY: the task lives as long as `thread`.
            to_result(unsafe { glue::genp_thread_fifo(task.as_ptr(), priority) })?;
        }
        // Release: the task is there. Pairs with the load in `Waker::ring`.
        waker.task.store(task.as_ptr(), Release);
        Ok(thread)
    }

    /// Stops the thread and waits for its end.
    fn stop(&mut self) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        // SAFETY: the box lives until the drop.
        let start = unsafe { self.start.as_ref() };
        // Release: nothing to publish; who rings from here on wakes nobody.
        start
            .context
            .waker
            .task
            .store(core::ptr::null_mut(), Release);
        // SAFETY: the thread runs until it is told to stop, which happens once.
        unsafe { glue::genp_thread_stop(self.task.as_ptr()) };
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop();
        // SAFETY: the thread has ended, so nobody uses the box any longer.
        drop(unsafe { KBox::from_raw(self.start.as_ptr()) });
        // SAFETY: gives up the reference taken in `spawn`.
        unsafe { glue::genp_task_put(self.task.as_ptr()) };
    }
}
