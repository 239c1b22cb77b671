// SPDX-License-Identifier: MIT OR Apache-2.0

//! Gives a heap more memory at its end, or takes it away.

use std::io;

use super::{error, memory::Memory, Heap, Inner};
use crate::lock::Guard;

impl Heap {
    /// Whether it is another manager's.
    pub(crate) fn is_managed(&self) -> bool {
        self.managed.is_some()
    }

    /// Has memory up to `bytes` from its beginning on: more than before. Blocks stay where they
    /// are. EDEADLK, ENOTRECOVERABLE; of another manager its errors, EOPNOTSUPP if it cannot.
    ///
    /// # Safety
    ///
    /// The memory belongs to the heap for as long as that is used; the heap begins on a page.
    pub(crate) unsafe fn extend(&self, bytes: usize) -> io::Result<()> {
        if let Some(managed) = &self.managed {
            // SAFETY: by the precondition.
            return unsafe { managed.resize(bytes) };
        }
        let mut inner = self.inner.lock()?;
        inner.engine.extend(Memory::end_of(bytes))?;
        self.go_on(&mut inner);
        Ok(())
    }

    /// Has memory up to `bytes` from its beginning on: less than before. EBUSY if there are
    /// blocks beyond; EDEADLK, ENOTRECOVERABLE. Cached blocks are returned first, at most
    /// [`super::grants::BLOCKS`] if no other thread uses the heap. Of another manager as of
    /// [`Self::extend`].
    pub(crate) fn cut(&self, bytes: usize) -> io::Result<()> {
        if let Some(managed) = &self.managed {
            // SAFETY: less than it has.
            return unsafe { managed.resize(bytes) };
        }
        let mut inner = self.empty_caches()?;
        if !inner.engine.cut(Memory::end_of(bytes))? {
            return Err(error(libc::EBUSY));
        }
        self.go_on(&mut inner);
        Ok(())
    }

    /// Goes on with the memory that the engine has now.
    fn go_on(&self, inner: &mut Inner) {
        let end = inner.engine.end();
        self.memory.set_end(end);
        self.cache.set_length(end);
        if !self.guarding.is_on() {
            inner.grants.set_bytes(end);
        }
    }

    /// Returns all cached blocks to the engine, and lets others in between. The lock.
    fn empty_caches(&self) -> io::Result<Guard<'_, Inner>> {
        let mut inner = self.inner.lock()?;
        let mut number = 0;
        while let Some(place) = inner.grants.place(number) {
            number += 1;
            let mut taken = self.cache.take(place);
            if taken.is_empty() {
                continue;
            }
            inner.engine.free_run(|memory| taken.next(memory))?;
            if inner.is_wanted() {
                drop(inner);
                inner = self.inner.lock()?;
            }
        }
        Ok(inner)
    }

    /// Tells nowhere how much of the heap is in use, until [`Self::tell_at`]. EDEADLK.
    pub(crate) fn tell_nowhere(&self) -> io::Result<()> {
        self.inner.lock()?.engine.tell_nowhere();
        Ok(())
    }
}
