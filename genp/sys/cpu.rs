// SPDX-License-Identifier: GPL-2.0

//! The CPU one is on.

use core::{marker::PhantomData, ops::Deref};

use super::glue;

/// The CPU one is on and stays on: while it lives the task is not preempted and does not
/// migrate.
pub(crate) struct Here {
    cpu: u32,
    _here: PhantomData<*mut ()>,
}

impl Here {
    /// # Safety
    ///
    /// The CPU is this one, and preemption is off until this is gone.
    #[inline(always)]
    pub(crate) unsafe fn new(cpu: u32) -> Self {
        Self {
            cpu,
            _here: PhantomData,
        }
    }

    /// The number of the CPU.
    #[inline(always)]
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu
    }
}

/// A stay on one CPU, from [`Stay::begin`] to the drop.
pub(crate) struct Stay(Here);

impl Stay {
    /// Context: any.
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        // SAFETY: preemption is off from here to the drop, which ends what this begins.
        Self(unsafe { Here::new(glue::genp_get_cpu()) })
    }
}

impl Deref for Stay {
    type Target = Here;

    fn deref(&self) -> &Here {
        &self.0
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
