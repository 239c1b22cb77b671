// SPDX-License-Identifier: GPL-2.0

//! Sums and differences of counts and places that an invariant of the caller keeps in
//! range.
//!
//! The operators of Rust panic where the result is out of range, and a panic is BUG() in
//! the kernel. These stop at the end of the range instead: if the invariant should ever
//! be broken, a count is off, and nothing else. Where debug assertions are on, as in all
//! tests on the host, they panic.

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
                debug_assert!(self.checked_add(more).is_some());
                self.saturating_add(more)
            }

            #[inline(always)]
            fn minus(self, fewer: Self) -> Self {
                debug_assert!(self >= fewer);
                self.saturating_sub(fewer)
            }

            #[inline(always)]
            fn times(self, factor: Self) -> Self {
                debug_assert!(self.checked_mul(factor).is_some());
                self.saturating_mul(factor)
            }
        }
    )* };
}

counts!(u32 u64 usize);
