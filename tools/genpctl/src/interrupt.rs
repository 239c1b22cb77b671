// SPDX-License-Identifier: GPL-2.0

//! Ctrl-C and SIGTERM as something to wait for.

use std::{io, mem::MaybeUninit, ptr, time::Duration};

/// The signals, kept from ending the program.
pub struct Interrupts(libc::sigset_t);

impl Interrupts {
    /// Keeps them from ending the program from here on. Before there are threads.
    pub fn hold() -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` is made an empty set before it is used as one, and the
        // signals exist. No old mask is asked for.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGINT);
            libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
            match libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut()) {
                0 => Ok(Self(set.assume_init())),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        }
    }

    /// Sleeps; says whether one of them came meanwhile, and returns then.
    pub fn within(&self, time: Duration) -> bool {
        let time = libc::timespec {
            tv_sec: time.as_secs() as _,
            tv_nsec: time.subsec_nanos() as _,
        };
        // SAFETY: both are there during the call; what came is not asked for.
        // Anything but a signal, another one's interruption included, is no end.
        unsafe { libc::sigtimedwait(&self.0, ptr::null_mut(), &time) > 0 }
    }
}
