// SPDX-License-Identifier: MIT OR Apache-2.0

//! Keeps the code of the library loaded. Threads call it when they end, long after a
//! plug-in that contains it may have been unloaded.

use std::{
    arch::global_asm,
    ffi::{c_char, c_int, c_void},
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

// Both are only there in programs with a dynamic linker. A program without one has
// zeroes here, and cannot unload anything.
global_asm!(
    ".pushsection .data.rel.genp,\"aw\"",
    ".balign 8",
    ".weak dladdr",
    ".weak dlopen",
    ".hidden genp_dladdr",
    ".globl genp_dladdr",
    "genp_dladdr: .quad dladdr",
    ".hidden genp_dlopen",
    ".globl genp_dlopen",
    "genp_dlopen: .quad dlopen",
    ".popsection",
);

extern "C" {
    static genp_dladdr: Option<Dladdr>;
    static genp_dlopen: Option<unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void>;
}

const _: () = assert!(
    size_of::<usize>() == 8,
    "the table above has words of 64 bits"
);

type Dladdr = unsafe extern "C" fn(*const c_void, *mut libc::Dl_info) -> c_int;

/// The program or library that an address is in.
fn object_at(dladdr: Dladdr, address: *const c_void) -> Option<libc::Dl_info> {
    let mut about = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `about` may be written, and any bytes are valid.
    unsafe { (dladdr(address, about.as_mut_ptr()) != 0).then(|| about.assume_init()) }
}

/// Whether the library that contains this code sees to it itself.
static RESIDENT: AtomicBool = AtomicBool::new(false);

/// Says that the code is never unloaded. Before the C library is started, dlopen() would
/// start it without arguments and environment.
pub(crate) fn is_resident() {
    RESIDENT.store(true, Ordering::Relaxed);
}

/// Makes the dynamic linker keep the library that contains this code for good. Does
/// nothing in a program, which is never unloaded.
pub(crate) fn keep_loaded() {
    // Relaxed: nothing else is published with it.
    if RESIDENT.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the table above, which nobody writes after it was relocated.
    let (Some(dladdr), Some(dlopen)) = (unsafe { genp_dladdr }, unsafe { genp_dlopen }) else {
        return;
    };
    let Some(here) = object_at(dladdr, keep_loaded as *const c_void) else {
        return;
    };
    // SAFETY: has no precondition.
    let headers = unsafe { libc::getauxval(libc::AT_PHDR) } as *const c_void;
    if object_at(dladdr, headers).is_some_and(|program| program.dli_fbase == here.dli_fbase) {
        return;
    }
    // Found by its name among what is loaded; nothing is loaded for it. The handle is
    // kept, and with it the library.
    // SAFETY: the name is that of the linker.
    unsafe {
        dlopen(
            here.dli_fname,
            libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE,
        )
    };
}
