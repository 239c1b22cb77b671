// SPDX-License-Identifier: GPL-2.0

//! How hard the kernel tries to find memory for GenP: not so hard that somebody
//! else is killed for it.

use kernel::{alloc::Flags, bindings};

/// Fails where the kernel would kill a process for memory, be it of the machine or of
/// the memory cgroup.
const NORETRY: u32 = 1 << bindings::___GFP_NORETRY_BIT;

/// Makes flags of what the kernel crate has no constants for.
const fn flags(raw: u32) -> Flags {
    // SAFETY: `Flags` has one field, a `u32` that may be anything; the sizes are
    // compared here at compile time.
    unsafe { core::mem::transmute::<u32, Flags>(raw) }
}

/// For what is allocated when the module is loaded. Context: thread, may sleep.
pub(crate) const SETUP_FLAGS: Flags =
    flags(bindings::GFP_KERNEL | bindings::__GFP_NOWARN | NORETRY);

/// For what a user causes: it counts in the memory cgroup of the current task. ENOMEM if
/// that is full. Context: thread, may sleep.
pub(crate) const CREATE_FLAGS: Flags =
    flags(bindings::GFP_KERNEL_ACCOUNT | bindings::__GFP_NOWARN | NORETRY);
