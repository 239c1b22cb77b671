// SPDX-License-Identifier: MIT OR Apache-2.0

//! Changes the size of a block: where it is if that can be, else by a copy.

use std::{io, ptr::NonNull};

use super::{
    class_of, engine, error,
    lists::round_up,
    size_class::{bytes_of, GRAIN},
    Heap,
};

impl Heap {
    /// Changes the size of a block and keeps its contents and alignment: returns where it
    /// is now. Making it smaller succeeds, where it is. EINVAL, ENOMEM, ECHILD, EDEADLK,
    /// ENOTRECOVERABLE, and then the block is as it was.
    ///
    /// # Safety
    ///
    /// Nobody uses the block meanwhile.
    pub(crate) unsafe fn realloc(
        &self,
        block: NonNull<u8>,
        size: usize,
    ) -> io::Result<NonNull<u8>> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            // SAFETY: by the precondition.
            return unsafe { managed.realloc(block, size) };
        }
        let (at, owner) = self.live(block)?;
        // SAFETY: `live` found it.
        let extent = unsafe { engine::extent_of(&self.memory, at) };
        let (old, align) = (engine::bytes(extent), engine::alignment(extent));
        if self.resize(at, owner, size, old)? {
            return Ok(block);
        }
        match self.alloc(size, align) {
            Ok(new) => {
                // SAFETY: two blocks; the old one has `old` bytes, the new one more.
                unsafe { new.copy_from_nonoverlapping(block, old) };
                // SAFETY: by the precondition.
                unsafe { self.free(block) }?;
                Ok(new)
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) && align == GRAIN => {
                // SAFETY: by the precondition.
                unsafe { self.move_down(at, size, old) }?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Changes the size of a block where it is: ENOMEM if there is no room behind it, EINVAL,
    /// ECHILD, EDEADLK, ENOTRECOVERABLE, and then it is as it was. Making it smaller succeeds.
    pub(crate) fn realloc_in_place(&self, block: NonNull<u8>, size: usize) -> io::Result<()> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            return match managed.usable(block)? >= size {
                true => Ok(()),
                false => Err(error(libc::ENOMEM)),
            };
        }
        let (at, owner) = self.live(block)?;
        // SAFETY: `live` found it.
        let old = engine::bytes(unsafe { engine::extent_of(&self.memory, at) });
        match self.resize(at, owner, size, old)? {
            true => Ok(()),
            false => Err(error(libc::ENOMEM)),
        }
    }

    /// Sizes that a block may be given for a request: the best one first.
    fn sizes(&self, size: usize) -> io::Result<[usize; 2]> {
        let least = self.guarding.padded(size).and_then(round_up);
        let least = least.ok_or_else(|| error(libc::ENOMEM))?;
        Ok(match class_of(size) {
            Some(class) if !self.guarding.is_on() => [bytes_of(class), least],
            _ => [least, least],
        })
    }

    /// Resizes a live block where it is: false if there is no room.
    fn resize(&self, at: usize, owner: u64, size: usize, old: usize) -> io::Result<bool> {
        let [best, least] = self.sizes(size)?;
        // Else nothing changes but what was requested.
        if best != old || self.guarding.is_on() {
            let mut inner = self.inner.lock()?;
            self.guarding.check(&self.memory, at, owner)?;
            // A smaller one keeps what it has beyond its class if that is no block.
            let done = inner.engine.resize(at, best)? || inner.engine.resize(at, least)?;
            if !done {
                return Ok(false);
            }
        }
        // SAFETY: `live` found it for the caller.
        unsafe { self.set_live(at, size) };
        self.guarding.draw(&self.memory, at, size);
        Ok(true)
    }

    /// Moves a block into free memory before it, if it can have `size` bytes there.
    ///
    /// # Safety
    ///
    /// A live block of `old` bytes, which nobody uses meanwhile.
    #[cold]
    unsafe fn move_down(
        &self,
        at: usize,
        size: usize,
        old: usize,
    ) -> io::Result<Option<NonNull<u8>>> {
        let [_, least] = self.sizes(size)?;
        let mut inner = self.inner.lock()?;
        let Some(new) = inner.engine.unite(at, least)? else {
            return Ok(None);
        };
        drop(inner);
        let block = self.memory.address(new);
        // SAFETY: both lie in the united block, which is larger than the old one.
        unsafe { block.copy_from(self.memory.address(at), old) };
        self.inner.lock()?.engine.resize(new, least)?;
        // SAFETY: as above.
        unsafe { self.set_live(new, size) };
        self.guarding.draw(&self.memory, new, size);
        Ok(Some(block))
    }
}
