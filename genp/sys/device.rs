// SPDX-License-Identifier: GPL-2.0

//! The control device.

use kernel::{error::to_result, prelude::*, sync::Arc};

use super::glue;
use crate::genp::pool::Pool;

/// /dev/genp and its attributes. Dropping it makes them vanish.
pub(crate) struct Device {
    pool: *const Pool,
}

// SAFETY: owns a reference to the pool, which may be used from any thread.
unsafe impl Send for Device {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Device {}

impl Device {
    /// Makes /dev/genp appear. At most one at a time. Context: thread, may sleep.
    pub(crate) fn register(pool: Arc<Pool>) -> Result<Self> {
        let device = Self {
            pool: pool.into_raw(),
        };
        // SAFETY: the reference in `device` outlives the registration.
        let done = unsafe { glue::genp_misc_register(device.pool.cast_mut().cast()) };
        if let Err(error) = to_result(done) {
            // SAFETY: nothing was registered, so the reference is ours alone.
            drop(unsafe { Arc::from_raw(device.pool) });
            core::mem::forget(device);
            return Err(error);
        }
        Ok(device)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: registered by `register`.
        unsafe { glue::genp_misc_deregister() };
        // SAFETY: takes back the reference from `register`; nobody calls in now.
        drop(unsafe { Arc::from_raw(self.pool) });
    }
}
