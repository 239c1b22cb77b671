// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the library knows of the calling thread: its number, and its seat, which no
//! other living thread has.

use std::{
    ffi::c_void,
    sync::{
        atomic::{AtomicU32, AtomicUsize, Ordering},
        OnceLock,
    },
};

/// Threads that can have a seat at a time.
pub(crate) const SEATS: usize = 31;

/// How far apart is what is kept for each seat, in bytes.
pub(crate) const STRIDE: usize = 1024;

/// Variables of the calling thread: [`SEAT`](here::SEAT), its seat, from 1, times
/// [`STRIDE`], or 0 if it has none; [`ID`](here::ID), the kernel's number of it, or
/// 0 if that was not asked for yet.
#[cfg(target_arch = "x86_64")]
mod here {
    use std::arch::{asm, global_asm};

    // As `thread_local!`, but of the "initial exec" model, which reads them in two
    // instructions and spoils no register, also where position-independent code
    // would call a function for it. Its price: a library that is loaded late needs
    // 16 bytes of the room that the C library keeps for such.
    global_asm!(
        ".pushsection .tbss,\"awT\",@nobits",
        ".balign 16",
        ".hidden genp_thread",
        ".globl genp_thread",
        ".type genp_thread, @object",
        ".size genp_thread, 16",
        "genp_thread: .zero 16",
        ".popsection",
    );

    pub(super) const SEAT: usize = 0;
    pub(super) const ID: usize = 8;

    #[inline(always)]
    pub(super) fn get<const WHICH: usize>() -> usize {
        let value;
        // SAFETY: reads a variable of this thread.
        unsafe {
            asm!(
                "mov {value}, qword ptr [rip + genp_thread@gottpoff]",
                "mov {value}, qword ptr fs:[{value} + {which}]",
                value = out(reg) value,
                which = const WHICH,
                options(nostack, preserves_flags, readonly),
            );
        }
        value
    }

    pub(super) fn set<const WHICH: usize>(value: usize) {
        // SAFETY: writes a variable of this thread that only `get` reads.
        unsafe {
            asm!(
                "mov {at}, qword ptr [rip + genp_thread@gottpoff]",
                "mov qword ptr fs:[{at} + {which}], {value}",
                at = out(reg) _,
                value = in(reg) value,
                which = const WHICH,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// The same for processors whose assembly is not spelled out.
#[cfg(not(target_arch = "x86_64"))]
mod here {
    use std::cell::Cell;

    thread_local! {
        static VALUES: [Cell<usize>; 2] = const { [Cell::new(0), Cell::new(0)] };
    }

    pub(super) const SEAT: usize = 0;
    pub(super) const ID: usize = 1;

    #[inline(always)]
    pub(super) fn get<const WHICH: usize>() -> usize {
        VALUES.with(|values| values[WHICH].get())
    }

    pub(super) fn set<const WHICH: usize>(value: usize) {
        VALUES.with(|values| values[WHICH].set(value));
    }
}

/// Seats that are taken, a bit each.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// The highest seat that ever was.
static HIGHEST: AtomicUsize = AtomicUsize::new(0);

/// The kernel's number of this thread.
#[inline]
pub(crate) fn id() -> u32 {
    match here::get::<{ here::ID }>() {
        0 => ask_id(),
        id => id as u32,
    }
}

#[cold]
fn ask_id() -> u32 {
    key();
    // SAFETY: no memory is involved.
    let id = unsafe { libc::gettid() } as u32;
    here::set::<{ here::ID }>(id as usize);
    id
}

/// This thread's seat, from 1 to [`SEATS`], times [`STRIDE`]; 0 if it has none.
#[inline(always)]
pub(crate) fn seat() -> usize {
    here::get::<{ here::SEAT }>()
}

/// No thread ever had a seat above this one.
pub(crate) fn highest_seat() -> usize {
    HIGHEST.load(Ordering::Relaxed)
}

/// Finds a seat for this thread, until it ends: false if there is none. Makes at most
/// [`SEATS`] attempts.
#[cold]
pub(crate) fn sit_down() -> bool {
    let Some(key) = key() else { return false };
    for _ in 0..SEATS {
        let taken = TAKEN.load(Ordering::Relaxed);
        let seat = taken.trailing_ones() as usize;
        if seat >= SEATS {
            return false;
        }
        // Acquire: pairs with `stand_up`; what the last thread on this seat left
        // there is complete.
        if TAKEN
            .compare_exchange(
                taken,
                taken | (1 << seat),
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_err()
        {
            continue;
        }
        // Relaxed: who misses a seat that is new misses what is left there the next
        // moment.
        HIGHEST.fetch_max(seat + 1, Ordering::Relaxed);
        here::set::<{ here::SEAT }>((seat + 1) * STRIDE);
        // SAFETY: the key exists; its value is a number for `stand_up`.
        if unsafe { libc::pthread_setspecific(key, (seat + 1) as *const c_void) } != 0 {
            // Nobody would say when the thread ends.
            stand_up((seat + 1) as *mut c_void);
            return false;
        }
        return true;
    }
    false
}

/// Leaves a thread's seat to others, at its end.
extern "C" fn stand_up(seat: *mut c_void) {
    here::set::<{ here::SEAT }>(0);
    // Release: pairs with `sit_down`.
    TAKEN.fetch_and(!(1 << (seat as usize - 1)), Ordering::Release);
}

/// A child that was forked is another thread.
extern "C" fn after_fork() {
    here::set::<{ here::ID }>(0);
}

/// What has the C library call [`stand_up`]; made once, together with what else it
/// has to call us for.
fn key() -> Option<libc::pthread_key_t> {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: two functions that may be called at any time.
        unsafe {
            libc::pthread_atfork(None, None, Some(after_fork));
            (libc::pthread_key_create(&mut key, Some(stand_up)) == 0).then_some(key)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_its_thread_ends() {
        for _ in 0..4 * SEATS {
            std::thread::spawn(|| {
                assert!(sit_down());
                assert!((1..=SEATS).contains(&(seat() / STRIDE)));
            })
            .join()
            .unwrap();
        }
    }

    #[test]
    fn threads_know_their_numbers() {
        let mine = id();
        assert_eq!(mine, id());
        std::thread::spawn(move || assert_ne!(mine, id()))
            .join()
            .unwrap();
    }
}
