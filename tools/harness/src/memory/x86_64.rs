// SPDX-License-Identifier: GPL-2.0

//! The loops for x86-64.

use std::arch::global_asm;

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
    // word; found[0] is the number of words left, found[1] that word.
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
    "mov [r8 + 8], rax",
    "mov eax, 2",
    "ret",
    // harness_touch(at, pages, page): writes to each page atomically without changing it:
    // 0, or 1 for a fault.
    ".globl harness_touch",
    "harness_touch:",
    "6: test rsi, rsi",
    "jz 3b",
    ".globl harness_touch_at",
    "harness_touch_at: lock or qword ptr [rdi], 0",
    "add rdi, rdx",
    "dec rsi",
    "jmp 6b",
    ".globl harness_fault",
    "harness_fault: mov eax, 1",
    "ret",
    ".popsection",
);

extern "C" {
    fn harness_fill_at();
    fn harness_check_at();
    fn harness_touch_at();
}

/// The instructions that may fault.
pub(super) const MAY_FAULT: [unsafe extern "C" fn(); 3] =
    [harness_fill_at, harness_check_at, harness_touch_at];

/// The instruction that was interrupted.
pub(super) fn instruction(context: &mut libc::ucontext_t) -> &mut libc::greg_t {
    &mut context.uc_mcontext.gregs[libc::REG_RIP as usize]
}
