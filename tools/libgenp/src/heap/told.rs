// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a heap tells of itself: two words in the reserve, which the kernel reads when
//! somebody asks it (`GENP_SET_HEAP`). Telling costs two stores where the lock is held, and
//! no call.

use std::{
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

/// Where it is told, if it is.
#[derive(Clone, Copy)]
pub(super) struct Told(Option<NonNull<[AtomicU64; 2]>>);

// SAFETY: two atomics, which any thread may write to.
unsafe impl Send for Told {}

impl Told {
    /// It is told nowhere.
    pub(super) const NOWHERE: Self = Self(None);

    /// It is told there.
    ///
    /// # Safety
    ///
    /// Two words there are the heap's for as long as that is used.
    pub(super) unsafe fn at(figures: NonNull<[AtomicU64; 2]>) -> Self {
        Self(Some(figures))
    }

    /// Tells how much is in use, and the most that was.
    #[inline]
    pub(super) fn tell(self, used: usize, peak: usize) {
        if let Some(figures) = self.0 {
            // SAFETY: said to `at`. Relaxed: each number is for people, by itself.
            let [in_use, most] = unsafe { figures.as_ref() };
            in_use.store(used as u64, Ordering::Relaxed);
            most.store(peak as u64, Ordering::Relaxed);
        }
    }
}
