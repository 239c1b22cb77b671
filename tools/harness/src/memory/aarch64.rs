// SPDX-License-Identifier: GPL-2.0

//! The loops for arm64: the functions of x86_64.rs.

use std::arch::global_asm;

global_asm!(
    ".pushsection .text.harness_memory,\"ax\",@progbits",
    ".globl harness_fill",
    "harness_fill:",
    "2: cbz x1, 3f",
    ".globl harness_fill_at",
    "harness_fill_at: str x2, [x0], #8",
    "add x2, x2, x3",
    "sub x1, x1, #1",
    "b 2b",
    "3: mov w0, #0",
    "ret",
    ".globl harness_check",
    "harness_check:",
    "4: cbz x1, 3b",
    ".globl harness_check_at",
    "harness_check_at: ldr x9, [x0], #8",
    "cmp x9, x2",
    "b.ne 5f",
    "add x2, x2, x3",
    "sub x1, x1, #1",
    "b 4b",
    "5: stp x1, x9, [x4]",
    "mov w0, #2",
    "ret",
    // Not with one instruction, which processors before ARMv8.1 do not have. Between the two
    // the page may be unmapped.
    ".globl harness_touch",
    "harness_touch:",
    "6: cbz x1, 3b",
    ".globl harness_touch_at",
    "harness_touch_at: ldxr x9, [x0]",
    ".globl harness_touch_store_at",
    "harness_touch_store_at: stxr w10, x9, [x0]",
    "cbnz w10, harness_touch_at",
    "add x0, x0, x2",
    "sub x1, x1, #1",
    "b 6b",
    ".globl harness_fault",
    "harness_fault: mov w0, #1",
    "ret",
    ".popsection",
);

extern "C" {
    fn harness_fill_at();
    fn harness_check_at();
    fn harness_touch_at();
    fn harness_touch_store_at();
}

/// The instructions that may fault.
pub(super) const MAY_FAULT: [unsafe extern "C" fn(); 4] = [
    harness_fill_at,
    harness_check_at,
    harness_touch_at,
    harness_touch_store_at,
];

/// The instruction that was interrupted.
pub(super) fn instruction(context: &mut libc::ucontext_t) -> &mut libc::c_ulonglong {
    &mut context.uc_mcontext.pc
}
