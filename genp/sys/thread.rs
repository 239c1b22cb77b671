// SPDX-License-Identifier: GPL-2.0

//! Kernel threads that sleep until a time or until their waker wakes them.

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
    /// Runs until [`ThreadContext::sleep_until`] returns that the thread is to stop.
    fn run(&self, context: &ThreadContext);
}

/// Wakes a thread.
pub(crate) struct Waker {
    /// Whether there was a wake-up since the thread last checked.
    pending: Atomic<u32>,
    /// The thread, from its start until it is about to be stopped.
    task: Atomic<*mut bindings::task_struct>,
}

// SAFETY: the pointer is only used to wake a thread, whose life [`Thread`] extends
// beyond the last use, see `wake`.
unsafe impl Send for Waker {}
// SAFETY: as above.
unsafe impl Sync for Waker {}

impl Waker {
    /// A waker without a thread.
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

    /// Has the thread's current or next sleep return. Context: any but NMI, also with raw
    /// locks held.
    ///
    /// It wakes the thread even if the flag is set already: whoever set it may have been
    /// preempted before its wake-up, and may not run again for long. To wake a thread
    /// that runs is cheap.
    pub(crate) fn wake(&self) {
        // Full: what the thread is to see was written before. Pairs with the xchg in
        // `sleep_until`.
        self.pending.xchg(1, Full);
        // Acquire: pairs with the store in `Thread::spawn`.
        let task = self.task.load(Acquire);
        if !task.is_null() {
            // SAFETY: a task lives until its [`Thread`] is dropped. Nobody calls this any
            // more by then: the device is gone, all files are closed, [`stop_all`] has
            // stopped the threads, which wake each other, and no interrupt is pending,
            // see `IrqWaker::quiesce`.
            unsafe { glue::genp_task_wake(task) };
        }
    }

    /// Gives the thread the SCHED_FIFO priority `priority`. What it inherits from who waits
    /// for a lock that it holds is not affected. Context: thread.
    pub(crate) fn set_fifo(&self, priority: i32) {
        // Acquire: as in `wake`.
        let task = self.task.load(Acquire);
        if !task.is_null() {
            // SAFETY: the task lives, as in `wake`. Refused only for a priority out of
            // range, of which the parameters have none.
            unsafe { glue::genp_thread_fifo(task, priority) };
        }
    }

    /// What a waker has done that is preempted before its wake-up.
    #[cfg(GENP_KUNIT)]
    pub(crate) fn begin_wake(&self) {
        self.pending.xchg(1, Full);
    }

    /// Whether the thread is asleep.
    #[cfg(GENP_KUNIT)]
    pub(crate) fn is_asleep(&self) -> bool {
        // Acquire: pairs with the store in `Thread::spawn`.
        super::kunit::is_asleep(self.task.load(Acquire))
    }
}

/// What a running thread can do with itself.
pub(crate) struct ThreadContext {
    waker: Arc<Waker>,
}

impl ThreadContext {
    /// Sleeps until it is woken or until the deadline in CLOCK_MONOTONIC nanoseconds;
    /// returns false if the thread is to stop. Context: this thread.
    pub(crate) fn sleep_until(&self, deadline: u64) -> bool {
        loop {
            // SAFETY: this thread may sleep; ended below.
            unsafe { glue::genp_prepare_sleep(false) };
            // After the state is set, so no wake-up is lost. Full: pairs with `wake`.
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

    /// As [`super::task::yield_now`].
    pub(crate) fn yield_now(&self) {
        super::task::yield_now();
    }
}

/// What a thread is started with.
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
    // SAFETY: by the precondition, a leaked box that lives until the thread has ended.
    let start = unsafe { &*data.cast::<Start>() };
    start.work.run(&start.context);
    // The thread must exist until kthread_stop() is called.
    while !start.context.stopping() {
        start.context.sleep_until(u64::MAX);
    }
    0
}

/// A thread, with a reference to its task. Dropping it stops the thread, waits for its
/// end and gives the reference up.
pub(crate) struct Thread {
    task: NonNull<bindings::task_struct>,
    start: NonNull<Start>,
    stopped: bool,
}

/// Stops threads that wake each other; they are dropped afterwards. Context: thread, may
/// sleep.
pub(crate) fn stop_all<'a>(threads: impl Iterator<Item = &'a mut Thread>) {
    for thread in threads {
        thread.stop();
    }
}

// SAFETY: owns a reference to a task, and a box.
unsafe impl Send for Thread {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Thread {}

impl Thread {
    /// Starts a thread, with SCHED_FIFO of priority `fifo` if that is given. Context:
    /// thread, may sleep.
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
        // SAFETY: `run` expects a `Start`, which lives until the thread has ended.
        let task = unsafe { glue::genp_thread_create(Some(run), start.cast(), name.as_char_ptr()) };
        let task = match from_err_ptr(task) {
            Ok(task) => task,
            Err(error) => {
                // SAFETY: no thread was created, so the box is ours again.
                drop(unsafe { KBox::from_raw(start) });
                return Err(error);
            }
        };
        // Neither is null: one is a box, the other no error pointer.
        let (Some(task), Some(start)) = (NonNull::new(task), NonNull::new(start)) else {
            return Err(EINVAL);
        };
        // SAFETY: the thread was not stopped yet, so its task exists.
        unsafe { glue::genp_task_get(task.as_ptr()) };
        let thread = Self {
            task,
            start,
            stopped: false,
        };
        // Release: publishes the task. Pairs with the load in `Waker::wake`. Before the
        // thread begins: otherwise it could sleep after a wake-up that found no task, and
        // no later one would wake it.
        waker.task.store(task.as_ptr(), Release);
        if let Some(priority) = fifo {
            // SAFETY: the task lives as long as `thread`.
            to_result(unsafe { glue::genp_thread_fifo(task.as_ptr(), priority) })?;
        }
        // SAFETY: as above. The thread begins.
        unsafe { glue::genp_task_wake(task.as_ptr()) };
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
        // Release: publishes nothing; a wake-up from here on has no effect.
        start
            .context
            .waker
            .task
            .store(core::ptr::null_mut(), Release);
        // SAFETY: the thread runs until this call, which is made once.
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
