// SPDX-License-Identifier: MIT OR Apache-2.0

//! Per-thread state: the thread's ID, and its slot in the thread caches, which it
//! shares with no other live thread.

use std::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use crate::{
    fork::{self, Step},
    resident,
};

/// Threads that can have a slot at the same time.
pub(crate) const SLOTS: usize = 127;

/// Distance between the data of two slots, in bytes.
pub(crate) const STRIDE: usize = 1920;

/// Thread-local variables: [`SLOT`](tls::SLOT) is the slot, from 1, times
/// [`STRIDE`], or 0 without a slot; [`ID`](tls::ID) is the kernel's thread ID, or 0
/// if it was not queried yet.
#[cfg(target_arch = "x86_64")]
mod tls {
    use std::arch::{asm, global_asm};

    // Like `thread_local!`, but with the "initial exec" TLS model: a read takes two
    // instructions and clobbers no register, even in position-independent code,
    // which would otherwise call a function. The cost: a library loaded by dlopen()
    // takes 16 bytes of the C library's surplus of static TLS.
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

    pub(super) const SLOT: usize = 0;
    pub(super) const ID: usize = 8;

    #[inline(always)]
    pub(super) fn get<const WHICH: usize>() -> usize {
        let value;
        // SAFETY: reads a variable of this thread, which the section above defines.
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

/// The same for architectures without an assembly version.
#[cfg(not(target_arch = "x86_64"))]
mod tls {
    use std::cell::Cell;

    thread_local! {
        static VALUES: [Cell<usize>; 2] = const { [Cell::new(0), Cell::new(0)] };
    }

    pub(super) const SLOT: usize = 0;
    pub(super) const ID: usize = 1;

    #[inline(always)]
    pub(super) fn get<const WHICH: usize>() -> usize {
        VALUES.with(|values| values[WHICH].get())
    }

    pub(super) fn set<const WHICH: usize>(value: usize) {
        VALUES.with(|values| values[WHICH].set(value));
    }
}

/// A bit for each slot in use.
static TAKEN: [AtomicU64; SLOTS / 64 + 1] = [const { AtomicU64::new(0) }; SLOTS / 64 + 1];

/// In a thread's ID: it gave its slot back, at its end, and gets no other one. What it
/// still frees goes straight to the heap.
const ENDED: usize = 1 << 32;

/// The kernel's ID of this thread.
#[inline]
pub(crate) fn id() -> u32 {
    match tls::get::<{ tls::ID }>() {
        0 => query_id(),
        id => id as u32,
    }
}

/// Takes the lowest free slot, from 1. Makes at most [`SLOTS`] attempts.
fn take_slot() -> Option<usize> {
    for _ in 0..SLOTS {
        let lowest = |word: &AtomicU64| word.load(Ordering::Relaxed).trailing_ones() as usize;
        let (number, bit) = TAKEN
            .iter()
            .enumerate()
            .map(|(number, word)| (number, lowest(word)))
            .find(|&(_, bit)| bit < 64)?;
        let slot = number * 64 + bit;
        if slot >= SLOTS {
            return None;
        }
        // Acquire: pairs with `release_slot`; makes the stores of the slot's last
        // owner visible.
        if TAKEN[number].fetch_or(1 << bit, Ordering::Acquire) & (1 << bit) == 0 {
            return Some(slot + 1);
        }
    }
    None
}

#[cold]
fn query_id() -> u32 {
    key();
    // SAFETY: no memory is involved.
    let id = unsafe { libc::gettid() } as u32;
    // Else a forked child would take it for its own.
    if fork::install() {
        tls::set::<{ tls::ID }>(id as usize);
    }
    id
}

/// This thread's slot, from 1 to [`SLOTS`], times [`STRIDE`]; 0 if it has none.
#[inline(always)]
pub(crate) fn slot() -> usize {
    tls::get::<{ tls::SLOT }>()
}

/// Claims a slot for this thread until it ends: false if all are in use, or if it is
/// about to end.
#[cold]
pub(crate) fn claim_slot() -> bool {
    let Some(key) = key() else { return false };
    id();
    if tls::get::<{ tls::ID }>() & ENDED != 0 {
        return false;
    }
    let Some(slot) = take_slot() else {
        return false;
    };
    tls::set::<{ tls::SLOT }>(slot * STRIDE);
    // SAFETY: the key exists; the value is a slot number, as `release_slot` expects.
    if unsafe { libc::pthread_setspecific(key, slot as *const c_void) } != 0 {
        // Without the destructor the slot would never be released.
        release_slot(slot as *mut c_void);
        return false;
    }
    true
}

/// Prepares the calling thread, so that its first call for a heap makes no system call:
/// false if it has no cache, because 127 other threads have one, or because it is about to
/// end. It can be called again.
pub fn attach() -> bool {
    id();
    slot() != 0 || claim_slot()
}

/// Releases a thread's slot when the thread exits.
extern "C" fn release_slot(slot: *mut c_void) {
    tls::set::<{ tls::SLOT }>(0);
    tls::set::<{ tls::ID }>(tls::get::<{ tls::ID }>() | ENDED);
    let slot = slot as usize - 1;
    // Release: pairs with `take_slot`.
    TAKEN[slot / 64].fetch_and(!(1 << (slot % 64)), Ordering::Release);
}

/// Forgets the ID and the slot of the thread, and that any slot is taken. Context: a
/// forked child.
fn forget_all() {
    tls::set::<{ tls::ID }>(0);
    tls::set::<{ tls::SLOT }>(0);
    if let Some(key) = existing_key() {
        // Else the slot would be released at the end of a thread that has it no longer.
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(key, ptr::null()) };
    }
    for word in &TAKEN {
        word.store(0, Ordering::Relaxed);
    }
}

/// The key whose destructor is [`release_slot`], plus one; 0 if there is none yet.
static KEY: AtomicUsize = AtomicUsize::new(0);

fn existing_key() -> Option<libc::pthread_key_t> {
    // Acquire: pairs with `create_key`.
    Some(KEY.load(Ordering::Acquire).checked_sub(1)? as libc::pthread_key_t)
}

/// The key; created once, together with the fork handler. From then on the code stays
/// loaded: threads have it to call.
fn key() -> Option<libc::pthread_key_t> {
    existing_key().or_else(create_key)
}

/// Without a lock, which a fork in another thread would leave to the child for good. Two
/// threads that come at once install the fork handler twice, which does no harm.
#[cold]
fn create_key() -> Option<libc::pthread_key_t> {
    let mut key = 0;
    resident::keep_loaded();
    fork::set_step(Step::Threads, &(forget_all as fn()));
    if !fork::install() {
        return None;
    }
    // SAFETY: may be called at any time.
    if unsafe { libc::pthread_key_create(&mut key, Some(release_slot)) } != 0 {
        return None;
    }
    // Release: pairs with `existing_key`.
    if KEY
        .compare_exchange(0, key as usize + 1, Ordering::AcqRel, Ordering::Relaxed)
        .is_ok()
    {
        return Some(key);
    }
    // SAFETY: created above, and nobody else knows it.
    unsafe { libc::pthread_key_delete(key) };
    existing_key()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_its_thread_ends() {
        for _ in 0..4 * SLOTS {
            std::thread::spawn(|| {
                assert!(claim_slot());
                assert!((1..=SLOTS).contains(&(slot() / STRIDE)));
            })
            .join()
            .unwrap();
        }
    }

    #[test]
    fn a_hundred_threads_have_slots_at_a_time() {
        let all = std::sync::Barrier::new(100);
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    let had = claim_slot();
                    all.wait();
                    assert!(had);
                });
            }
        });
    }

    /// Comes last of a thread's destructors, over and over.
    extern "C" fn claim_at_the_end(key: *mut c_void) {
        let _ = slot() > 0 || claim_slot();
        // SAFETY: the key is that of this destructor, plus one.
        unsafe { libc::pthread_setspecific(key as libc::pthread_key_t - 1, key) };
    }

    #[test]
    fn a_thread_that_goes_on_after_its_end_leaves_no_slot_taken() {
        let mut last = 0;
        assert!(key().is_some());
        // SAFETY: `last` may be written.
        let made = unsafe { libc::pthread_key_create(&mut last, Some(claim_at_the_end)) };
        assert_eq!(made, 0);
        for _ in 0..4 * SLOTS {
            std::thread::spawn(move || {
                assert!(claim_slot());
                let value = last as usize + 1;
                // SAFETY: the key exists.
                unsafe { libc::pthread_setspecific(last, value as *const c_void) };
            })
            .join()
            .unwrap();
        }
        std::thread::spawn(|| assert!(claim_slot())).join().unwrap();
    }

    #[test]
    fn threads_know_their_numbers() {
        let mine = id();
        assert_eq!(mine, id());
        std::thread::spawn(move || assert_ne!(mine, id()))
            .join()
            .unwrap();
    }

    #[test]
    fn a_forked_child_has_another_number_and_no_slot() {
        let mine = id();
        assert!(slot() > 0 || claim_slot());
        // SAFETY: the child takes no lock that another thread may hold.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let well = slot() == 0 && id() != mine && claim_slot() && slot() == STRIDE;
            // SAFETY: has no precondition.
            unsafe { libc::_exit(i32::from(!well)) };
        }
        let mut status = -1;
        // SAFETY: `status` may be written.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}
