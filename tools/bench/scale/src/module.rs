// SPDX-License-Identifier: GPL-2.0

//! Loading and unloading.

use std::{ffi::CString, fs::File, os::fd::AsRawFd};

use harness::calls;

use crate::figure::Result;

/// Loads a module, as insmod does.
pub fn load(path: &str, parameters: &str) -> Result<()> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let text = CString::new(parameters).map_err(|error| error.to_string())?;
    // SAFETY: a file that is open and a string that ends with zero.
    let done = unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), text.as_ptr(), 0) };
    calls::context("finit_module", calls::checked(done)).map(|_| ())
}

/// Unloads genp, if it is loaded.
pub fn unload() -> Result<()> {
    // SAFETY: a string that ends with zero.
    let done = unsafe { libc::syscall(libc::SYS_delete_module, c"genp".as_ptr(), 0) };
    match calls::checked(done) {
        Err(libc::ENOENT) => Ok(()),
        other => calls::context("delete_module", other).map(|_| ()),
    }
}
