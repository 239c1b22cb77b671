// SPDX-License-Identifier: GPL-2.0

//! Reads and writes of memory that may not be mapped: a fault is reported as a
//! result instead of a signal.
//!
//! The loops are in assembly so that the handler knows the few instructions that
//! may fault, and where to continue. It only uses the instruction pointer, so any
//! number of threads may fault at the same time.

use std::{ffi::c_int, mem};

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod machine;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod machine;

use genp::system::page_size;
use machine::{instruction, MAY_FAULT};

extern "C" {
    fn harness_fill(at: usize, words: usize, first: u64, step: u64) -> c_int;
    fn harness_check(at: usize, words: usize, first: u64, step: u64, found: *mut [u64; 2])
        -> c_int;
    fn harness_touch(at: usize, pages: usize, page: usize) -> c_int;
    fn harness_fault();
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The expected words.
    Same,
    /// A fault.
    Nothing,
    /// Something else.
    Other {
        /// The index of the first word that differs.
        at: usize,
        /// That word.
        word: u64,
    },
}

/// The pattern that an owner writes: no two owners write the same into a word.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    first: u64,
    step: u64,
}

impl Pattern {
    /// The contents of a zeroed page.
    pub const ZERO: Self = Self { first: 0, step: 0 };

    /// The pattern of an owner.
    pub fn of(owner: u64) -> Self {
        Self {
            first: crate::rng::mix(owner) | 1,
            step: 0x9e37_79b9_7f4a_7c16,
        }
    }

    /// Whether these two words are successive words of some owner's pattern.
    pub fn is_one(word: u64, next: u64) -> bool {
        next.wrapping_sub(word) == Self::of(0).step
    }

    /// Whether this is one of the first `words` words of the pattern.
    pub fn has(self, word: u64, words: u64) -> bool {
        (0..words).any(|index| word == self.first.wrapping_add(self.step.wrapping_mul(index)))
    }

    /// Writes it into `words` words at `at`: false for a fault.
    pub fn write(self, at: usize, words: usize) -> bool {
        // SAFETY: the handler continues at harness_fault if the memory is not mapped. If
        // it is, it belongs to a window, which holds no Rust object.
        unsafe { harness_fill(at, words, self.first, self.step) == 0 }
    }

    /// Compares it with `words` words at `at`.
    pub fn check(self, at: usize, words: usize) -> Found {
        let mut found = [0; 2];
        // SAFETY: as above; nothing is written but `found`.
        match unsafe { harness_check(at, words, self.first, self.step, &mut found) } {
            0 => Found::Same,
            1 => Found::Nothing,
            _ => Found::Other {
                at: words - found[0] as usize,
                word: found[1],
            },
        }
    }
}

/// Reads and writes each page without changing it: false for a fault.
pub fn touch(at: usize, pages: usize) -> bool {
    // SAFETY: as for [`Pattern::write`]; the contents do not change.
    unsafe { harness_touch(at, pages, page_size()) == 0 }
}

/// Continues at harness_fault after a fault of one of [`MAY_FAULT`]. Any other
/// fault is a bug of the program and ends it.
extern "C" fn on_fault(signal: c_int, _info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes the context of the interrupted code.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let at = instruction(context);
    if MAY_FAULT
        .iter()
        .any(|&place| place as usize == *at as usize)
    {
        *at = harness_fault as unsafe extern "C" fn() as usize as _;
        return;
    }
    // SAFETY: sets the default action; the fault is repeated and ends the process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Installs the handler for faults of [`MAY_FAULT`].
pub fn catch_faults() {
    // SAFETY: the handler touches nothing but the context it is given.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_fault as extern "C" fn(_, _, _) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut());
        libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut());
    }
}

/// The number of page faults of the calling thread until now.
pub fn faults() -> i64 {
    // SAFETY: fills a structure of ours.
    unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_minflt + usage.ru_majflt
    }
}
