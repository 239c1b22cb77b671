// SPDX-License-Identifier: GPL-2.0

//! The CPU one is on.

use core::marker::PhantomData;

use super::glue;

/// A stay on one CPU: while it lives the task is not preempted and does not migrate.
pub(crate) struct Stay {
    cpu: u32,
    /// Ends on the CPU where it began.
    _here: PhantomData<*mut ()>,
}

impl Stay {
    /// Context: any.
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        Self {
            // SAFETY: ended by the drop.
            cpu: unsafe { glue::genp_get_cpu() },
            _here: PhantomData,
        }
    }

    /// The number of the CPU.
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // SAFETY: begun by `begin`.
        unsafe { glue::genp_put_cpu() }
    }
}

/// CPUs there can be: their numbers are below this.
pub(crate) fn count() -> u32 {
    // SAFETY: no precondition.
    unsafe { glue::genp_nr_cpus() }
}
