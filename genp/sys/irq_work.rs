// SPDX-License-Identifier: GPL-2.0

//! A bell that can be rung where tasks cannot be woken: in NMI.

use kernel::{ffi::c_void, sync::Arc};

use super::{glue, thread::Waker};

/// Rings a bell by way of an interrupt of the own CPU. There is one at a time.
pub(crate) struct IrqWaker {
    waker: *const Waker,
}

// SAFETY: owns a reference to the bell, which may be used from any thread.
unsafe impl Send for IrqWaker {}
// SAFETY: as above.
unsafe impl Sync for IrqWaker {}

impl IrqWaker {
    /// Context: thread.
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        let waker = waker.into_raw();
        // SAFETY: the bell lives until the drop, which waits for the last interrupt.
        unsafe { glue::genp_irq_work_set(waker.cast_mut().cast()) };
        Self { waker }
    }

    /// Rings the bell soon. Context: any.
    pub(crate) fn wake(&self) {
        // SAFETY: set up in `new`.
        unsafe { glue::genp_irq_work_queue() }
    }
}

impl Drop for IrqWaker {
    fn drop(&mut self) {
        // SAFETY: nobody rings any longer, by `&mut self`; this waits for an
        // interrupt on its way.
        unsafe { glue::genp_irq_work_sync() };
        // SAFETY: takes back the reference from `new`.
        drop(unsafe { Arc::from_raw(self.waker) });
    }
}

/// # Safety
///
/// `bell` is what [`IrqWaker::new`] set, which lives until the last call.
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
