// SPDX-License-Identifier: GPL-2.0

//! The CPU that the caller runs on.

use core::{marker::PhantomData, ops::Deref};

use super::glue;

/// The current CPU. While this exists preemption is off, so the task does not migrate.
pub(crate) struct CurrentCpu {
    cpu: u32,
    _not_send: PhantomData<*mut ()>,
}

impl CurrentCpu {
    /// # Safety
    ///
    /// `cpu` is the current CPU, and preemption is off until the result is dropped.
    #[inline(always)]
    pub(crate) unsafe fn new(cpu: u32) -> Self {
        Self {
            cpu,
            _not_send: PhantomData,
        }
    }

    /// The number of the CPU.
    #[inline(always)]
    pub(crate) fn number(&self) -> u32 {
        self.cpu
    }
}

/// Keeps preemption off, from [`PreemptGuard::begin`] to the drop.
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
        // SAFETY: ends what `begin` began.
        unsafe { glue::genp_put_cpu() }
    }
}

/// The number of possible CPUs: their numbers are below this.
pub(crate) fn count() -> u32 {
    // SAFETY: no precondition.
    unsafe { glue::genp_nr_cpus() }
}
