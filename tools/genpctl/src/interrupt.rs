// SPDX-License-Identifier: GPL-2.0

//! Waiting for signals.

use std::{
    ffi::c_int,
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
    time::Duration,
};

/// What ended a wait.
#[derive(Debug, PartialEq)]
pub enum Woken {
    /// This signal.
    Signal(c_int),
    /// The file of this number hung up: its partition was destroyed.
    Hangup(usize),
}

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

    /// Takes a signal that has arrived.
    fn taken(&self) -> Option<c_int> {
        let time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: as in `within`.
        let signal = unsafe { libc::sigtimedwait(&self.0, ptr::null_mut(), &time) };
        (signal > 0).then_some(signal)
    }

    /// A descriptor that can be read when a signal has arrived.
    fn descriptor(&self) -> io::Result<OwnedFd> {
        // SAFETY: the set lives during the call; a descriptor that was just made for us.
        unsafe {
            match libc::signalfd(-1, &self.0, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
                -1 => Err(io::Error::last_os_error()),
                fd => Ok(OwnedFd::from_raw_fd(fd)),
            }
        }
    }

    /// Sleeps until a signal arrives, or one of the files hangs up.
    pub fn wait(&self, files: &[BorrowedFd<'_>]) -> io::Result<Woken> {
        let signals = self.descriptor()?;
        let entry = |fd, events| libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        // POLLHUP is always reported.
        let mut polls: Vec<_> = files
            .iter()
            .map(|file| entry(file.as_raw_fd(), 0))
            .collect();
        polls.push(entry(signals.as_raw_fd(), libc::POLLIN));
        loop {
            if let Some(signal) = self.taken() {
                return Ok(Woken::Signal(signal));
            }
            let count = polls.len() as libc::nfds_t;
            // SAFETY: so many structures, there during the call.
            if unsafe { libc::poll(polls.as_mut_ptr(), count, -1) } == -1 {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
                continue;
            }
            let hung = polls.iter().take(files.len());
            if let Some(number) = hung.into_iter().position(|poll| poll.revents != 0) {
                return Ok(Woken::Hangup(number));
            }
        }
    }

    /// Sleeps until the time is over or a signal arrives; returns whether one did.
    pub fn within(&self, time: Duration) -> bool {
        self.signal_within(time).is_some()
    }

    /// The same, and which signal it was.
    pub fn signal_within(&self, time: Duration) -> Option<c_int> {
        let time = libc::timespec {
            tv_sec: time.as_secs() as _,
            tv_nsec: time.subsec_nanos() as _,
        };
        // SAFETY: both live during the call; the signal's information is not requested.
        // EINTR by another signal counts as the end of the time.
        let signal = unsafe { libc::sigtimedwait(&self.0, ptr::null_mut(), &time) };
        (signal > 0).then_some(signal)
    }
}

/// Passes a signal on to a process that has not been waited for.
pub fn pass_on(signal: c_int, to: u32) {
    if let Ok(process) = libc::pid_t::try_from(to) {
        // SAFETY: has no precondition. A process that has ended gets nothing.
        unsafe { libc::kill(process, signal) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::{fd::AsFd, unix::net::UnixStream};

    use super::*;

    #[test]
    fn a_wait_ends_by_a_signal_or_by_a_file() {
        let interrupts = Interrupts::hold(&[libc::SIGUSR1, libc::SIGHUP]).unwrap();
        let (kept, _other) = UnixStream::pair().unwrap();
        let (hung, gone) = UnixStream::pair().unwrap();
        let files = [kept.as_fd(), hung.as_fd()];
        // SAFETY: a signal to this thread, which holds it.
        unsafe { libc::raise(libc::SIGHUP) };
        drop(gone);
        // Signals come first.
        let woken = interrupts.wait(&files).unwrap();
        assert_eq!(woken, Woken::Signal(libc::SIGHUP));
        assert_eq!(interrupts.wait(&files).unwrap(), Woken::Hangup(1));
        // SAFETY: as above.
        unsafe { libc::raise(libc::SIGUSR1) };
        let woken = interrupts.wait(&files[..1]).unwrap();
        assert_eq!(woken, Woken::Signal(libc::SIGUSR1));
    }
}
