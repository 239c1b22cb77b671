// SPDX-License-Identifier: GPL-2.0

//! The CPU one is on.

use core::{marker::PhantomData, ops::Deref};

use super::glue;

/// The CPU one is on and stays on: while it lives the task is not preempted and does not
/// migrate.
pub(crate) struct CurrentCpu {
    cpu: u32,
    _here: PhantomData<*mut ()>,
}

impl CurrentCpu {
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
    pub(crate) fn number(&self) -> u32 {
        self.cpu
    }
}

/// A stay on one CPU, from [`PreemptGuard::begin`] to the drop.
pub(crate) struct PreemptGuard(CurrentCpu);

impl PreemptGuard {
    /// Context: any.
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        // SAFETY: preemption is off from here to the drop, which ends what this begins.
        Self(unsafe { CurrentCpu::new(glue::genp_get_cpu()) })
    }
}

impl Deref for PreemptGuard {
    type Target = CurrentCpu;

    fn deref(&self) -> &CurrentCpu {
        &self.0
    }
}

impl Drop for PreemptGuard {
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
