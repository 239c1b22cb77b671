// SPDX-License-Identifier: GPL-2.0

//! Waiting for signals.

use std::{ffi::c_int, io, mem::MaybeUninit, ptr, time::Duration};

/// The blocked signals.
pub struct Interrupts(libc::sigset_t);

impl Interrupts {
    /// Blocks these signals. Must be called before threads are started.
    pub fn hold(signals: &[c_int]) -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` is made an empty set before it is used as one, and the
        // signals exist. The old mask is not requested.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for &signal in signals {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            match libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut()) {
                0 => Ok(Self(set.assume_init())),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }

    /// Sleeps until the time is over or a signal arrives; returns whether one did.
    pub fn within(&self, time: Duration) -> bool {
        let time = libc::timespec {
            tv_sec: time.as_secs() as _,
            tv_nsec: time.subsec_nanos() as _,
        };
        // SAFETY: both live during the call; the signal's information is not requested.
        // EINTR by another signal counts as the end of the time.
        unsafe { libc::sigtimedwait(&self.0, ptr::null_mut(), &time) > 0 }
    }
}
