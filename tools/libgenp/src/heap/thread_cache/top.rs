// SPDX-License-Identifier: MIT OR Apache-2.0

//! The block in front of a stack: a number of grains and one more, or 0 for none. Only the
//! owner of the slot makes it another than 0; everybody may make it 0.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::heap::size_class::GRAIN;

fn block(top: u32) -> Option<usize> {
    Some((top as usize).checked_sub(1)? * GRAIN)
}

/// Takes the block away.
#[inline(always)]
pub(super) fn take(top: &AtomicU32) -> Option<usize> {
    // Relaxed: mostly there is none. It is taken by the exchange.
    if top.load(Ordering::Relaxed) == 0 {
        return None;
    }
    // Acquire: pairs with `put`.
    block(top.swap(0, Ordering::Acquire))
}

/// The block that is there.
pub(super) fn look(top: &AtomicU32) -> Option<usize> {
    block(top.load(Ordering::Acquire))
}

/// Puts a block there: false if there is one. Context: the owner of the slot.
#[inline(always)]
pub(super) fn put(top: &AtomicU32, at: usize) -> bool {
    let Ok(new) = u32::try_from(at / GRAIN + 1) else {
        return false;
    };
    exchange(top, new)
}

/// Makes 0 another number: false if it is not 0.
///
/// Other threads only write 0, and our own signal handlers come before or after one
/// instruction. So it need not lock the bus. Stores of x86 have the ordering of a Release,
/// which pairs with `take`.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn exchange(top: &AtomicU32, new: u32) -> bool {
    let empty: u8;
    // SAFETY: reads and writes the word; atomic as said above.
    unsafe {
        std::arch::asm!(
            "cmpxchg dword ptr [{top}], {new:e}",
            "sete {empty}",
            top = in(reg) top.as_ptr(),
            new = in(reg) new,
            empty = lateout(reg_byte) empty,
            inout("eax") 0 => _,
            options(nostack),
        );
    }
    empty != 0
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn exchange(top: &AtomicU32, new: u32) -> bool {
    // Release: pairs with `take`.
    top.compare_exchange(0, new, Ordering::Release, Ordering::Relaxed)
        .is_ok()
}
