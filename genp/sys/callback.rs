// SPDX-License-Identifier: GPL-2.0

//! Functions of drivers that GenP calls.

use kernel::ffi::c_void;

/// The function that a driver has called when its lease is recalled.
#[derive(Clone, Copy)]
pub(crate) struct Callback {
    call: unsafe extern "C" fn(*mut c_void, u64, u64),
    data: *mut c_void,
}

// SAFETY: a function of the driver and its argument; by the precondition of `new` it may
// be called from any thread.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Callback {
    /// # Safety
    ///
    /// `call` may be called with `data` from any thread, until the lease it is about
    /// has been returned.
    pub(crate) unsafe fn new(
        call: unsafe extern "C" fn(*mut c_void, u64, u64),
        data: *mut c_void,
    ) -> Self {
        Self { call, data }
    }

    /// Asks for the lease `handle` back. Context: thread; runs the driver's code.
    pub(crate) fn run(&self, handle: u64, expires: u64) {
        // SAFETY: by the precondition of `new`: the lease is not returned before this
        // call is over, because returning it waits for that.
        unsafe { (self.call)(self.data, handle, expires) }
    }
}
