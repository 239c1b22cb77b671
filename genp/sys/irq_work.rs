// SPDX-License-Identifier: GPL-2.0

//! A bell that can be rung where tasks cannot be woken: in NMI.

use kernel::{ffi::c_void, sync::Arc};

use super::{glue, thread::Bell};

/// Rings a bell by way of an interrupt of the own CPU. There is one at a time.
pub(crate) struct IrqBell {
    bell: *const Bell,
}

// SAFETY: owns a reference to the bell, which may be used from any thread.
unsafe impl Send for IrqBell {}
// SAFETY: as above.
unsafe impl Sync for IrqBell {}

impl IrqBell {
    /// Context: thread.
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        let bell = bell.into_raw();
        // SAFETY: the bell lives until the drop, which waits for the last interrupt.
        unsafe { glue::genp_irq_work_set(bell.cast_mut().cast()) };
        Self { bell }
    }

    /// Rings the bell soon. Context: any.
    pub(crate) fn ring(&self) {
        // SAFETY: set up in `new`.
        unsafe { glue::genp_irq_work_queue() }
    }
}

impl Drop for IrqBell {
    fn drop(&mut self) {
        // SAFETY: nobody rings any longer, by `&mut self`; this waits for an
        // interrupt on its way.
        unsafe { glue::genp_irq_work_sync() };
        // SAFETY: takes back the reference from `new`.
        drop(unsafe { Arc::from_raw(self.bell) });
    }
}

/// # Safety
///
/// `bell` is what [`IrqBell::new`] set, which lives until the last call.
#[no_mangle]
unsafe extern "C" fn genp_waker_wake(bell: *mut c_void) {
    // SAFETY: by the precondition.
    unsafe { &*bell.cast::<Bell>() }.ring();
}

// The compiler compares it with its prototype, by which C calls it.
const _: () = {
    let _ = if true {
        glue::genp_waker_wake
    } else {
        genp_waker_wake
    };
};
