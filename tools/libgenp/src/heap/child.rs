// SPDX-License-Identifier: MIT OR Apache-2.0

//! A heap that a forked child goes on with, in a copy of its memory at the same
//! addresses: for an allocator of a whole process. See [`crate::Arena`].
//!
//! While the lock is held no block begins or ends elsewhere, but other threads go on to
//! take blocks from their caches and to put some there. The caches are memory of the
//! process, and as of the fork; the blocks are as of the copy, a little earlier. So the
//! child believes the blocks: those that are in a cache by their seal are free there.

use std::{io, ptr};

use super::{
    engine::SMALLEST,
    grants::Grants,
    memory::{Checked, State, HEADER},
    Heap,
};

/// How the lock of a heap is held during a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was taken for the fork.
    ForFork,
    /// The forking thread had it already: a signal handler forks that interrupted its
    /// own thread in the middle of a change.
    Before,
}

impl Heap {
    /// Takes the lock, until [`Self::release`] or [`Self::adopt`]. Waits for the thread that
    /// has it.
    pub(crate) fn hold(&self) -> io::Result<Held> {
        match self.inner.lock() {
            Ok(guard) => {
                guard.keep();
                Ok(Held::ForFork)
            }
            Err(error) if error.raw_os_error() == Some(libc::EDEADLK) => Ok(Held::Before),
            Err(error) => Err(error),
        }
    }

    /// Gives the lock back. Context: who called [`Self::hold`], in the parent.
    ///
    /// # Safety
    ///
    /// `held` is what [`Self::hold`] returned to this thread, once.
    pub(crate) unsafe fn release(&self, held: Held) {
        if held == Held::ForFork {
            // SAFETY: by the precondition.
            drop(unsafe { self.inner.kept() });
        }
    }

    /// Copies all blocks and the headers of free memory. Linear in the bytes of the blocks.
    ///
    /// # Safety
    ///
    /// The lock is held, as [`Self::hold`] said. `to` has zeroes, and as much room as the
    /// heap.
    pub(crate) unsafe fn copy_to(&self, held: Held, to: *mut u8) {
        // SAFETY: by the precondition.
        if held == Held::Before || unsafe { self.copy_blocks(to) }.is_err() {
            // SAFETY: by the precondition; all there is.
            unsafe { self.copy(0, self.memory.end() + HEADER, to) };
        }
    }

    /// Copies bytes of the heap, which other threads may write to meanwhile.
    ///
    /// # Safety
    ///
    /// Within the heap, and with room at `to`.
    unsafe fn copy(&self, at: usize, length: usize, to: *mut u8) {
        // SAFETY: by the precondition.
        unsafe { ptr::copy_nonoverlapping(self.memory.header(at), to.add(at), length) };
    }

    /// # Safety
    ///
    /// As of [`Self::copy_to`].
    unsafe fn copy_blocks(&self, to: *mut u8) -> Checked<()> {
        // SAFETY: the caller holds the lock, and goes on to.
        let inner = unsafe { self.inner.kept() };
        let copy = || {
            let mut at = 0;
            while at < self.memory.end() {
                let length = inner.engine.length(at)?;
                match self.memory.is_free(at)? {
                    // Its links, and its bytes at its end.
                    true => {
                        // SAFETY: within the block.
                        unsafe { self.copy(at, SMALLEST, to) };
                        // SAFETY: as above.
                        unsafe { self.copy(at + length - 8, 8, to) };
                    }
                    // SAFETY: as above.
                    false => unsafe { self.copy(at, length, to) },
                }
                at += length;
            }
            // SAFETY: the header at the end.
            unsafe { self.copy(at, HEADER, to) };
            Ok(())
        };
        let copied = copy();
        inner.keep();
        copied
    }

    /// Makes the heap that of a forked child. Linear in the number of blocks.
    ///
    /// # Safety
    ///
    /// The caller is the only thread of a forked child, whose parent's thread called
    /// [`Self::hold`] before the fork; the steps of [`crate::fork`] were taken. The memory
    /// is a copy of the parent's.
    pub(crate) unsafe fn adopt(&self, held: Held) -> io::Result<()> {
        self.process.take_over();
        self.cache.revive(self.memory.end());
        if held == Held::Before {
            // Whoever was interrupted goes on here as well.
            self.inner.hand_on();
            return Ok(());
        }
        self.inner.forget();
        let mut inner = self.inner.lock()?;
        let cached = match self.guarding.is_on() {
            true => 0,
            false => self.memory.end(),
        };
        inner.grants = Grants::new(cached);
        let mut at = 0;
        while at < self.memory.end() {
            let mut next = at + inner.engine.length(at)?;
            let owner = self.memory.read(at)?;
            if self.memory.note_if(at, State::Cached, owner).is_some() {
                // It is merged with the one behind it.
                if next < self.memory.end() && self.memory.is_free(next)? {
                    next += inner.engine.length(next)?;
                }
                inner.engine.free(at)?;
            }
            at = next;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::NonNull;

    const BYTES: usize = 1 << 20;

    /// Memory of the process, all zeroes.
    fn memory() -> NonNull<u8> {
        // SAFETY: a new mapping where the kernel likes.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        NonNull::new(start.cast()).unwrap()
    }

    /// Uses the heap in a child, whose memory is a copy made by [`Heap::copy_to`].
    fn in_child(heap: &Heap, start: NonNull<u8>, held: Held, run: impl FnOnce() -> bool) {
        let copy = memory();
        // SAFETY: the lock is held.
        unsafe { heap.copy_to(held, copy.as_ptr()) };
        // SAFETY: the child takes no lock that another thread may hold.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: as large, and the child's own.
            unsafe { start.copy_from_nonoverlapping(copy, BYTES) };
            // SAFETY: a child, with its copy.
            let well = unsafe { heap.adopt(held) }.is_ok() && run();
            // SAFETY: has no precondition.
            unsafe { libc::_exit(i32::from(!well)) };
        }
        let mut status = -1;
        // SAFETY: `status` may be written.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
        // SAFETY: from `hold`.
        unsafe { heap.release(held) };
    }

    /// What the thread caches had is free in the child.
    #[test]
    fn a_child_can_have_all_that_is_free() {
        let start = memory();
        // SAFETY: for good.
        let heap = unsafe { Heap::new(start, BYTES) }.unwrap();
        let blocks: Vec<_> = (0..64).map(|i| heap.alloc(100 * i, 16).unwrap()).collect();
        for block in &blocks[1..] {
            // SAFETY: used no longer.
            unsafe { heap.free(*block).unwrap() };
        }
        let kept = blocks[0];
        let held = heap.hold().unwrap();
        assert_eq!(held, Held::ForFork);
        in_child(&heap, start, held, || {
            let all = heap.alloc(BYTES / 16 * 15, 16);
            // SAFETY: used no longer.
            all.is_ok() && unsafe { heap.free(kept) }.is_ok() && heap.used().is_ok()
        });
        // SAFETY: the parent's is as it was.
        unsafe { heap.free(kept).unwrap() };
        assert_eq!(heap.used().unwrap(), 0);
    }

    /// A handler that interrupted a change leaves the lock to that also in the child.
    #[test]
    fn who_was_interrupted_goes_on_in_the_child() {
        let start = memory();
        // SAFETY: for good.
        let heap = unsafe { Heap::new(start, BYTES) }.unwrap();
        let guard = heap.inner.lock().unwrap();
        let held = heap.hold().unwrap();
        assert_eq!(held, Held::Before);
        in_child(&heap, start, held, || {
            let refused = heap.alloc(100_000, 16).is_err();
            // SAFETY: the guard that the parent's thread has.
            drop(unsafe { heap.inner.kept() });
            refused && heap.alloc(100_000, 16).is_ok()
        });
        drop(guard);
        assert!(heap.alloc(100_000, 16).is_ok());
    }
}
