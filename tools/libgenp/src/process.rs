// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which process a partition belongs to. A forked child has a copy of everything the
//! library knows of its parent's partitions, and of none of their memory.

use std::{
    io, process,
    sync::atomic::{AtomicU32, Ordering},
};

/// How often this process and those it descends from forked. Only the handler in a
/// forked child writes it, when that has one thread.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process, as of when this was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    forks: u32,
    id: u32,
}

impl Process {
    /// The calling process.
    pub(crate) fn current() -> Self {
        Self {
            forks: FORKS.load(Ordering::Relaxed),
            id: process::id(),
        }
    }

    /// How often it and those it descends from forked, as far as they noticed.
    #[cfg(test)]
    pub(crate) fn forks(self) -> u32 {
        self.forks
    }

    /// ECHILD in a forked child of the process. No system call.
    #[inline]
    pub(crate) fn check(self) -> io::Result<()> {
        match self.has_forked() {
            true => Err(not_ours()),
            false => Ok(()),
        }
    }

    /// Whether the caller is a child of the process, made by fork().
    #[inline]
    pub(crate) fn has_forked(self) -> bool {
        FORKS.load(Ordering::Relaxed) != self.forks
    }

    /// Whether the caller is the process itself: no child that was made by fork(), and
    /// none by vfork(), `_Fork()` or clone(), which call no handlers.
    pub(crate) fn is_current(self) -> bool {
        !self.has_forked() && process::id() == self.id
    }
}

/// A process that a child can take the place of.
pub(crate) struct Owner {
    forks: AtomicU32,
}

impl Owner {
    /// The calling process.
    pub(crate) fn current() -> Self {
        Self {
            forks: AtomicU32::new(FORKS.load(Ordering::Relaxed)),
        }
    }

    /// ECHILD in a forked child of the owner. No system call.
    #[inline]
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.forks.load(Ordering::Relaxed) == FORKS.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(not_ours()),
        }
    }

    /// Makes the calling process the owner. Context: a forked child, which has one thread.
    pub(crate) fn take_over(&self) {
        self.forks
            .store(FORKS.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// The error of calls for a partition of the parent.
#[cold]
pub(crate) fn not_ours() -> io::Error {
    io::Error::from_raw_os_error(libc::ECHILD)
}

/// Makes all partitions those of another process. Context: a forked child, before any
/// other code of the library runs there.
pub(crate) fn note_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
