// SPDX-License-Identifier: GPL-2.0

//! Memory errors, as the kernel reports them.

use kernel::{
    ffi::c_void,
    sync::{
        atomic::{Acquire, Atomic, Full, Relaxed, Release},
        Arc,
    },
};

use super::{glue, thread::Waker};

/// Whether there is a memory error in the page at a physical address. Context: any.
pub(crate) fn phys_poisoned(phys: u64) -> bool {
    // SAFETY: no precondition: any address.
    unsafe { glue::genp_phys_poisoned(phys) }
}

/// The reports of memory errors, and how many of them were looked into.
pub(crate) struct ErrorReports {
    reported: Atomic<u32>,
    handled: Atomic<u32>,
    /// 1 if this kernel finds errors and there is no way to be told.
    untold: Atomic<u32>,
    waker: Arc<Waker>,
}

impl ErrorReports {
    /// No reports yet; `waker` wakes whoever looks into them.
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self {
            reported: Atomic::new(0),
            handled: Atomic::new(0),
            untold: Atomic::new(0),
            waker,
        }
    }

    /// Has somebody look for memory errors. Context: any but NMI.
    pub(crate) fn report(&self) {
        // Full: the page was marked before. Pairs with the load in `reported`.
        self.reported.fetch_add(1, Full);
        self.waker.wake();
    }

    /// How many reports there were. What they tell of is seen by whoever looks afterwards.
    pub(crate) fn reported(&self) -> u32 {
        // Acquire: pairs with `report`.
        self.reported.load(Acquire)
    }

    /// How many reports were looked into.
    pub(crate) fn handled(&self) -> u32 {
        // Acquire: what was found is known. Pairs with the store in `set_handled`.
        self.handled.load(Acquire)
    }

    /// Has somebody look once more, if there were reports after the first `handled`: for
    /// whoever had frames meanwhile where nobody looks. Context: any but NMI.
    pub(crate) fn report_since(&self, handled: u32) {
        if self.reported() != handled {
            self.report();
        }
    }

    /// Records that the first `reports` of them were looked into.
    pub(crate) fn set_handled(&self, reports: u32) {
        // Release: what was found is known. Pairs with the load in `handled`.
        self.handled.store(reports, Release);
    }

    /// Whether a frame may have an error that was not found yet. Context: any.
    #[inline]
    pub(crate) fn pending(&self) -> bool {
        self.is_untold() || self.reported.load(Relaxed) != self.handled()
    }

    /// Whether errors are not reported, so that somebody has to look for them.
    pub(crate) fn is_untold(&self) -> bool {
        self.untold.load(Relaxed) != 0
    }
}

/// Reports the kernel's memory errors while it lives.
pub(crate) struct ErrorWatch(Option<Arc<ErrorReports>>);

impl ErrorWatch {
    /// Context: thread, may sleep.
    pub(crate) fn begin(reports: &Arc<ErrorReports>) -> Self {
        let data = Arc::as_ptr(reports).cast_mut().cast::<c_void>();
        // SAFETY: the reports live until the drop, which ends the calls.
        if unsafe { glue::genp_watch_memory_errors(data) } {
            // What happened before to frames that are here already was told to nobody.
            reports.report();
            return Self(Some(reports.clone()));
        }
        // SAFETY: no precondition.
        let untold = unsafe { glue::genp_has_memory_failure() };
        reports.untold.store(untold.into(), Relaxed);
        Self(None)
    }
}

impl Drop for ErrorWatch {
    fn drop(&mut self) {
        if let Some(reports) = &self.0 {
            let data = Arc::as_ptr(reports).cast_mut().cast::<c_void>();
            // SAFETY: what `begin` began, once.
            unsafe { glue::genp_unwatch_memory_errors(data) }
        }
    }
}

/// # Safety
///
/// `data` is what [`ErrorWatch::begin`] set, which lives until the last call.
#[no_mangle]
unsafe extern "C" fn genp_memory_error(data: *mut c_void) {
    // SAFETY: by the precondition.
    unsafe { &*data.cast::<ErrorReports>() }.report();
}

// The compiler compares it with its prototype, by which C calls it.
const _: () = {
    let _ = if true {
        glue::genp_memory_error
    } else {
        genp_memory_error
    };
};
