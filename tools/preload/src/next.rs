// SPDX-License-Identifier: MIT OR Apache-2.0

//! The functions of the same names in the libraries behind this one: those of the C
//! library, if no other malloc is preloaded as well.

use std::{
    ffi::{c_int, c_void, CStr},
    mem, ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::message::give_up;

/// A function, found at the start.
struct Function(AtomicPtr<c_void>);

impl Function {
    const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    fn find(&self, name: &CStr) {
        // SAFETY: a string that ends with zero.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        if found.is_null() {
            give_up(format_args!("the C library has no {name:?}"));
        }
        self.0.store(found, Ordering::Relaxed);
    }

    fn address(&self) -> *mut c_void {
        // Relaxed: written before there is a second thread.
        self.0.load(Ordering::Relaxed)
    }
}

/// Functions of the next library. They may be called once [`find`] was.
macro_rules! functions {
    ($($name:ident $symbol:literal ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        mod found {
            #![allow(non_upper_case_globals, reason = "they are named like the functions")]
            use super::Function;

            $(pub(super) static $name: Function = Function::new();)*
        }

        /// Finds all of them.
        pub fn find() {
            $(found::$name.find($symbol);)*
        }

        $(pub unsafe fn $name($($argument: $type),*) $(-> $result)? {
            type Type = unsafe extern "C" fn($($type),*) $(-> $result)?;
            // SAFETY: the C library's function of this name has this type.
            unsafe { mem::transmute::<*mut c_void, Type>(found::$name.address())($($argument),*) }
        })*
    };
}

functions! {
    malloc c"malloc" (size: usize) -> *mut c_void;
    calloc c"calloc" (count: usize, size: usize) -> *mut c_void;
    realloc c"realloc" (block: *mut c_void, size: usize) -> *mut c_void;
    free c"free" (block: *mut c_void);
    memalign c"memalign" (align: usize, size: usize) -> *mut c_void;
    usable_size c"malloc_usable_size" (block: *mut c_void) -> usize;
    trim c"malloc_trim" (pad: usize) -> c_int;
    mallopt c"mallopt" (which: c_int, value: c_int) -> c_int;
    fork c"fork" () -> libc::pid_t;
}
