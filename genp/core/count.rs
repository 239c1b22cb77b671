// SPDX-License-Identifier: GPL-2.0

//! Sums and differences of counts and places that an invariant of the caller keeps in
//! range.
//!
//! The operators of Rust panic where the result is out of range, and a panic is BUG() in
//! the kernel. These stop at the end of the range instead: if the invariant should ever
//! be broken, a count is off, and [`broken_invariants`] says so. Where debug assertions
//! are on, as in all tests on the host, they panic.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A statistic: nothing is ordered by it.
static BROKEN: AtomicU32 = AtomicU32::new(0);

/// How often an invariant did not hold since the module was loaded. Any other number than
/// 0 is a fault of GenP's. Context: any.
pub fn broken_invariants() -> u32 {
    BROKEN.load(Relaxed)
}

/// Counts an invariant that did not hold. Context: any.
#[cold]
#[inline(never)]
fn count_broken() {
    BROKEN.fetch_add(1, Relaxed);
    debug_assert!(false, "an invariant does not hold");
}

/// Counts it if what must hold does not.
#[inline(always)]
pub(super) fn must_hold(it_holds: bool) {
    if !it_holds {
        count_broken();
    }
}

/// Arithmetic that is in range by an invariant.
pub trait Count: Copy {
    /// `self + more`.
    fn plus(self, more: Self) -> Self;

    /// `self - fewer`.
    fn minus(self, fewer: Self) -> Self;

    /// `self * factor`.
    fn times(self, factor: Self) -> Self;

    /// `self += by`.
    #[inline(always)]
    fn raise(&mut self, by: Self) {
        *self = self.plus(by);
    }

    /// `self -= by`.
    #[inline(always)]
    fn lower(&mut self, by: Self) {
        *self = self.minus(by);
    }
}

macro_rules! counts {
    ($($type:ty)*) => { $(
        impl Count for $type {
            #[inline(always)]
            fn plus(self, more: Self) -> Self {
                let (sum, wraps) = self.overflowing_add(more);
                match wraps {
                    false => sum,
                    true => {
                        count_broken();
                        <$type>::MAX
                    }
                }
            }

            #[inline(always)]
            fn minus(self, fewer: Self) -> Self {
                let (difference, wraps) = self.overflowing_sub(fewer);
                match wraps {
                    false => difference,
                    true => {
                        count_broken();
                        0
                    }
                }
            }

            #[inline(always)]
            fn times(self, factor: Self) -> Self {
                let (product, wraps) = self.overflowing_mul(factor);
                match wraps {
                    false => product,
                    true => {
                        count_broken();
                        <$type>::MAX
                    }
                }
            }
        }
    )* };
}

counts!(u32 u64 usize);
