// SPDX-License-Identifier: MIT OR Apache-2.0

//! Exchanges words of which the owner of a slot changes many. While a process has one thread,
//! nobody but its own signal handlers can come in between, and an instruction of one processor
//! is whole for them: it need not lock the bus, which takes as long as all the rest of a call.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod alone {
    use std::{
        arch::asm,
        sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering},
    };

    extern "C" {
        /// Not 0: no other thread was made, or the last one was joined, by the C library. Its
        /// own malloc() relies on that.
        #[link_name = "__libc_single_threaded"]
        static ALONE: AtomicU8;
    }

    #[inline(always)]
    pub(super) fn is_alone() -> bool {
        // SAFETY: a byte of the C library, which is never gone. Relaxed: only the calling
        // thread can make it 0.
        unsafe { ALONE.load(Ordering::Relaxed) != 0 }
    }

    /// Writes `new` if `old` is there.
    #[inline(always)]
    pub(super) fn compare_exchange(word: &AtomicU64, old: u64, new: u64) -> bool {
        let found: u64;
        // SAFETY: reads and writes the word.
        unsafe {
            asm!(
                "cmpxchg qword ptr [{word}], {new}",
                word = in(reg) word.as_ptr(),
                new = in(reg) new,
                inout("rax") old => found,
                options(nostack),
            );
        }
        found == old
    }

    /// Makes a word 0: what it was.
    #[inline(always)]
    pub(super) fn empty(word: &AtomicU32) -> u32 {
        let mut found = word.load(Ordering::Relaxed);
        // Again if a handler came in between.
        // SAFETY: reads and writes the word.
        unsafe {
            asm!(
                "2:",
                "cmpxchg dword ptr [{word}], {zero:e}",
                "jnz 2b",
                word = in(reg) word.as_ptr(),
                zero = in(reg) 0,
                inout("eax") found,
                options(nostack),
            );
        }
        found
    }
}

/// For other machines, or C libraries that do not tell.
#[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
mod alone {
    use std::sync::atomic::{AtomicU32, AtomicU64};

    #[inline(always)]
    pub(super) fn is_alone() -> bool {
        false
    }

    pub(super) fn compare_exchange(_: &AtomicU64, _: u64, _: u64) -> bool {
        false
    }

    pub(super) fn empty(_: &AtomicU32) -> u32 {
        0
    }
}

/// Writes `new` if `old` is there. `order` is that of success.
#[inline(always)]
pub(super) fn compare_exchange(word: &AtomicU64, old: u64, new: u64, order: Ordering) -> bool {
    match alone::is_alone() {
        true => alone::compare_exchange(word, old, new),
        false => word
            .compare_exchange(old, new, order, Ordering::Relaxed)
            .is_ok(),
    }
}

/// Makes a word 0: what it was.
#[inline(always)]
pub(super) fn empty(word: &AtomicU32, order: Ordering) -> u32 {
    match alone::is_alone() {
        true => alone::empty(word),
        false => word.swap(0, order),
    }
}

#[cfg(all(test, target_arch = "x86_64", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn without_a_lock_words_are_exchanged_as_well() {
        let word = AtomicU64::new(u64::MAX - 1);
        assert!(!alone::compare_exchange(&word, 7, 8));
        assert_eq!(word.load(Ordering::Relaxed), u64::MAX - 1);
        assert!(alone::compare_exchange(&word, u64::MAX - 1, 1 << 40));
        assert_eq!(word.load(Ordering::Relaxed), 1 << 40);

        let pair = [AtomicU32::new(u32::MAX), AtomicU32::new(9)];
        assert_eq!(alone::empty(&pair[0]), u32::MAX);
        assert_eq!(alone::empty(&pair[0]), 0);
        assert_eq!(pair[1].load(Ordering::Relaxed), 9);
    }

    #[test]
    fn a_process_with_threads_locks_the_bus() {
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(!alone::is_alone()));
        });
    }
}
