// SPDX-License-Identifier: GPL-2.0

//! Words that are shared by all CPUs and accessed in any context, each access one
//! instruction.
//!
//! The `kernel` crate has these operations as calls into the kernel. Every take and give
//! of a page or object uses several, so on x86-64 they are inline assembly here; on other
//! architectures they are those of the kernel, as in the simulation, which looks at each.

use kernel::{alloc::Flags, prelude::*, sync::atomic::Atomic};

use crate::genp::core::{
    claims,
    labyrinth::{words, Word},
};

#[cfg(not(all(target_arch = "x86_64", not(GENP_SIM))))]
use super::glue;
use super::table;

/// A word of 64 bits.
#[repr(transparent)]
pub(crate) struct InlineAtomic(Atomic<u64>);

impl InlineAtomic {
    pub(crate) const fn new(value: u64) -> Self {
        Self(Atomic::new(value))
    }

    /// A table of `count` words with this value: ENOMEM. Context: thread, may sleep.
    pub(crate) fn several(count: usize, value: u64, flags: Flags) -> Result<KVVec<Self>> {
        table::collect((0..count).map(|_| Self::new(value)), flags)
    }

    /// The table for a labyrinth of `pages` pages, all words 0: E2BIG for more pages than
    /// a labyrinth can have, ENOMEM. Context: thread, may sleep.
    pub(crate) fn table(pages: u32, flags: Flags) -> Result<KVVec<Self>> {
        Self::several(words(pages).ok_or(E2BIG)?, 0, flags)
    }

    /// The table for the claims of `objects` objects, all words 0: ENOMEM. Context: thread,
    /// may sleep.
    pub(crate) fn claims(objects: u32, flags: Flags) -> Result<KVVec<Self>> {
        Self::several(claims::words(objects), 0, flags)
    }
}

#[cfg(all(target_arch = "x86_64", not(GENP_SIM)))]
impl InlineAtomic {
    /// Returns the value (acquire). Context: any.
    #[inline(always)]
    pub(crate) fn load(&self) -> u64 {
        let value;
        // SAFETY: one aligned word, which lives as long as `self`. Loads are acquires
        // on x86; the compiler moves no access across this, by the lack of `nomem` and of
        // `readonly`, with which a store could still move up to before it.
        unsafe {
            core::arch::asm!("mov {v}, qword ptr [{p}]", p = in(reg) self.0.as_ptr(),
                v = out(reg) value, options(nostack, preserves_flags));
        }
        value
    }

    /// Replaces the value (release). Context: any.
    #[inline(always)]
    pub(crate) fn store(&self, value: u64) {
        // SAFETY: one aligned word, which lives as long as `self` and is only accessed
        // atomically. Stores are releases on x86; the compiler moves no access across
        // this, by the lack of `nomem`.
        unsafe {
            core::arch::asm!("mov qword ptr [{p}], {v}", p = in(reg) self.0.as_ptr(),
                v = in(reg) value, options(nostack, preserves_flags));
        }
    }

    /// Adds to the value (relaxed). Context: any.
    #[inline(always)]
    pub(crate) fn add(&self, value: u64) {
        // SAFETY: as in `store`.
        unsafe {
            core::arch::asm!("lock add qword ptr [{p}], {v}", p = in(reg) self.0.as_ptr(),
                v = in(reg) value, options(nostack));
        }
    }

    /// Adds to the value and returns the one before (full barrier). Context: any.
    #[inline(always)]
    pub(crate) fn fetch_add(&self, mut value: u64) -> u64 {
        // SAFETY: as in `store`. Locked instructions are full barriers on x86.
        unsafe {
            core::arch::asm!("lock xadd qword ptr [{p}], {v}", p = in(reg) self.0.as_ptr(),
                v = inout(reg) value, options(nostack));
        }
        value
    }

    /// Adds to the value and returns the one before. Not atomic towards other CPUs, so
    /// only for a word that one CPU alone writes; atomic towards interrupts and NMIs,
    /// because it is one instruction. Context: any, on that CPU.
    #[inline(always)]
    pub(crate) fn add_local(&self, mut value: u64) -> u64 {
        // SAFETY: as in `store`.
        unsafe {
            core::arch::asm!("xadd qword ptr [{p}], {v}", p = in(reg) self.0.as_ptr(),
                v = inout(reg) value, options(nostack));
        }
        value
    }
}

#[cfg(all(target_arch = "x86_64", not(GENP_SIM)))]
impl Word for InlineAtomic {
    #[inline(always)]
    fn load(&self) -> u64 {
        InlineAtomic::load(self)
    }

    #[inline(always)]
    fn set(&self, bit: u32) -> bool {
        let was: u8;
        // SAFETY: one aligned word, which lives as long as `self`; the mask keeps the
        // bit within it. Locked instructions are full barriers on x86.
        unsafe {
            core::arch::asm!("lock bts qword ptr [{p}], {b}", "setc {w}",
                p = in(reg) self.0.as_ptr(), b = in(reg) u64::from(bit % u64::BITS),
                w = out(reg_byte) was, options(nostack));
        }
        was != 0
    }

    #[inline(always)]
    fn clear(&self, bit: u32) -> bool {
        let was: u8;
        // SAFETY: as in `set`.
        unsafe {
            core::arch::asm!("lock btr qword ptr [{p}], {b}", "setc {w}",
                p = in(reg) self.0.as_ptr(), b = in(reg) u64::from(bit % u64::BITS),
                w = out(reg_byte) was, options(nostack));
        }
        was != 0
    }

    #[inline(always)]
    fn observe(&self) -> u64 {
        self.fetch_add(0)
    }
}

#[cfg(not(all(target_arch = "x86_64", not(GENP_SIM))))]
impl InlineAtomic {
    /// Returns the value (acquire). Context: any.
    pub(crate) fn load(&self) -> u64 {
        self.0.load(kernel::sync::atomic::Acquire)
    }

    /// Replaces the value (release). Context: any.
    pub(crate) fn store(&self, value: u64) {
        self.0.store(value, kernel::sync::atomic::Release);
    }

    /// Adds to the value (relaxed). Context: any.
    pub(crate) fn add(&self, value: u64) {
        self.0.add(value, kernel::sync::atomic::Relaxed);
    }

    /// Adds to the value and returns the one before (full barrier). Context: any.
    pub(crate) fn fetch_add(&self, value: u64) -> u64 {
        self.0.fetch_add(value, kernel::sync::atomic::Full)
    }

    /// Adds to the value and returns the one before. For a word that one CPU alone
    /// writes. Context: any, on that CPU.
    pub(crate) fn add_local(&self, value: u64) -> u64 {
        self.0.fetch_add(value, kernel::sync::atomic::Relaxed)
    }
}

#[cfg(not(all(target_arch = "x86_64", not(GENP_SIM))))]
impl Word for InlineAtomic {
    fn load(&self) -> u64 {
        InlineAtomic::load(self)
    }

    fn set(&self, bit: u32) -> bool {
        // SAFETY: one aligned word, which lives as long as `self` and is only accessed
        // atomically; the mask keeps the bit within it.
        unsafe { glue::genp_test_and_set_bit(bit % u64::BITS, self.0.as_ptr().cast()) }
    }

    fn clear(&self, bit: u32) -> bool {
        // SAFETY: as above.
        unsafe { glue::genp_test_and_clear_bit(bit % u64::BITS, self.0.as_ptr().cast()) }
    }

    fn observe(&self) -> u64 {
        self.fetch_add(0)
    }
}
