// SPDX-License-Identifier: GPL-2.0

//! Waking a thread from contexts in which tasks cannot be woken, such as NMI.

use kernel::{ffi::c_void, sync::Arc};

use super::{cpu::CurrentCpu, glue, thread::Waker};

/// Wakes a thread by way of an irq_work on the current CPU. There is one at a time.
pub(crate) struct IrqWaker {
    waker: *const Waker,
}

// SAFETY: owns a reference to the waker, which may be used from any thread.
unsafe impl Send for IrqWaker {}
// SAFETY: as above.
unsafe impl Sync for IrqWaker {}

impl IrqWaker {
    /// Context: thread.
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        let waker = waker.into_raw();
        // SAFETY: the waker lives until the drop, which waits for the last interrupt.
        unsafe { glue::genp_irq_work_set(waker.cast_mut().cast()) };
        Self { waker }
    }

    /// Has the thread woken soon. Context: any.
    ///
    /// The kernel marks the irq_work as pending before it queues it, and whoever finds the
    /// mark returns: preemption is off, so that nobody is kept from queueing it.
    pub(crate) fn wake(&self, _cpu: &CurrentCpu) {
        // SAFETY: set up in `new`.
        unsafe { glue::genp_irq_work_queue() }
    }

    /// Waits for an interrupt that is on its way. To be called before the bell's thread is
    /// given up, when nobody rings any more. Context: thread, may sleep.
    pub(crate) fn quiesce(&self) {
        // SAFETY: set up in `new`; we may sleep.
        unsafe { glue::genp_irq_work_sync() }
    }
}

impl Drop for IrqWaker {
    fn drop(&mut self) {
        // Nobody queues it any longer, by `&mut self`.
        self.quiesce();
        // SAFETY: takes back the reference from `new`.
        drop(unsafe { Arc::from_raw(self.waker) });
    }
}

/// # Safety
///
/// `waker` is what [`IrqWaker::new`] set, which lives until the last call.
#[no_mangle]
unsafe extern "C" fn genp_waker_wake(waker: *mut c_void) {
    // SAFETY: by the precondition.
    unsafe { &*waker.cast::<Waker>() }.wake();
}

// The compiler compares it with its prototype, by which C calls it.
const _: () = {
    let _ = if true {
        glue::genp_waker_wake
    } else {
        genp_waker_wake
    };
};
