// SPDX-License-Identifier: GPL-2.0

//! Reads and writes of memory that may not be mapped: a fault is reported as a
//! result instead of a signal.
//!
//! The loops are in assembly so that the handler knows the three instructions that
//! may fault, and where to continue. It only uses the instruction pointer, so any
//! number of threads may fault at the same time.

use std::{arch::global_asm, ffi::c_int, mem};

global_asm!(
    ".pushsection .text.harness_memory,\"ax\",@progbits",
    // harness_fill(at, words, first, step): 0, or 1 for a fault.
    ".globl harness_fill",
    "harness_fill:",
    "2: test rsi, rsi",
    "jz 3f",
    ".globl harness_fill_at",
    "harness_fill_at: mov [rdi], rdx",
    "add rdx, rcx",
    "add rdi, 8",
    "dec rsi",
    "jmp 2b",
    "3: xor eax, eax",
    "ret",
    // harness_check(at, words, first, step, found): 0, 1 for a fault, 2 for another
    // word; *found is the number of words left.
    ".globl harness_check",
    "harness_check:",
    "4: test rsi, rsi",
    "jz 3b",
    ".globl harness_check_at",
    "harness_check_at: mov rax, [rdi]",
    "cmp rax, rdx",
    "jne 5f",
    "add rdx, rcx",
    "add rdi, 8",
    "dec rsi",
    "jmp 4b",
    "5: mov [r8], rsi",
    "mov eax, 2",
    "ret",
    // harness_touch(at, pages): writes to each page atomically without changing it: 0,
    // or 1 for a fault.
    ".globl harness_touch",
    "harness_touch:",
    "6: test rsi, rsi",
    "jz 3b",
    ".globl harness_touch_at",
    "harness_touch_at: lock or qword ptr [rdi], 0",
    "add rdi, 4096",
    "dec rsi",
    "jmp 6b",
    ".globl harness_fault",
    "harness_fault: mov eax, 1",
    "ret",
    ".popsection",
);

extern "C" {
    fn harness_fill(at: usize, words: usize, first: u64, step: u64) -> c_int;
    fn harness_check(at: usize, words: usize, first: u64, step: u64, found: *mut usize) -> c_int;
    fn harness_touch(at: usize, pages: usize) -> c_int;
    fn harness_fill_at();
    fn harness_touch_at();
    fn harness_check_at();
    fn harness_fault();
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The expected words.
    Same,
    /// A fault.
    Nothing,
    /// Something else, at the word with this index.
    Other(usize),
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
        let mut left = 0;
        // SAFETY: as above; nothing is written but `left`.
        match unsafe { harness_check(at, words, self.first, self.step, &mut left) } {
            0 => Found::Same,
            1 => Found::Nothing,
            _ => Found::Other(words - left),
        }
    }
}

/// Reads and writes each page without changing it: false for a fault.
pub fn touch(at: usize, pages: usize) -> bool {
    // SAFETY: as for [`Pattern::write`]; the contents do not change.
    unsafe { harness_touch(at, pages) == 0 }
}

/// Continues at harness_fault after a fault of one of the three instructions. Any other
/// fault is a bug of the program and ends it.
extern "C" fn on_fault(signal: c_int, _info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes the context of the interrupted code.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let at = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    let known = [
        harness_fill_at as unsafe extern "C" fn(),
        harness_check_at as unsafe extern "C" fn(),
        harness_touch_at as unsafe extern "C" fn(),
    ];
    if known.iter().any(|&place| place as usize == *at as usize) {
        *at = harness_fault as unsafe extern "C" fn() as usize as i64;
        return;
    }
    // SAFETY: sets the default action; the fault is repeated and ends the process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Installs the handler for faults of the three instructions.
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
