// SPDX-License-Identifier: MIT OR Apache-2.0

//! Allocates and frees several blocks at a time: the lock is taken once for many.

use std::{ffi::c_void, io, ptr::NonNull};

use super::{
    class_of,
    lists::round_up,
    note,
    size_class::{bytes_of, GRAIN},
    Heap,
};

/// Blocks for which the lock is held without a look at who waits.
const CHUNK: usize = 16;

impl Heap {
    /// Allocates blocks of one size until all places are filled: returns how many, and why
    /// not more. Errors as of [`Self::alloc`].
    pub(crate) fn alloc_batch(
        &self,
        size: usize,
        places: &mut [*mut c_void],
    ) -> (usize, io::Result<()>) {
        let mut done = 0;
        while done < places.len() {
            let rest = &mut places[done..];
            if let Some(block) = self.cached_alloc(size) {
                rest[0] = block.as_ptr().cast();
                done += 1;
                continue;
            }
            let chunk = CHUNK.min(rest.len());
            match self.alloc_chunk(size, &mut rest[..chunk]) {
                Ok(0) => match self.slow_alloc(size) {
                    Ok(block) => rest[0] = block.as_ptr().cast(),
                    Err(error) => return (done, Err(error)),
                },
                Ok(some) => {
                    done += some;
                    continue;
                }
                Err(error) => return (done, Err(error)),
            }
            done += 1;
        }
        (done, Ok(()))
    }

    /// Fills places as long as there is memory outside of caches.
    fn alloc_chunk(&self, size: usize, places: &mut [*mut c_void]) -> io::Result<usize> {
        self.process.check()?;
        let bytes = class_of(size).map(bytes_of).or_else(|| round_up(size));
        let plain = !self.guarding.is_on() && self.managed.is_none();
        let Some(bytes) = bytes.filter(|_| plain) else {
            return Ok(0);
        };
        let mut inner = self.inner.lock()?;
        let mut done = 0;
        for place in places {
            let Some(at) = inner.engine.alloc(bytes, GRAIN, note(size))? else {
                break;
            };
            *place = self.memory.address(at).as_ptr().cast();
            done += 1;
        }
        Ok(done)
    }

    /// Frees blocks, and skips null pointers: returns how many of them are done, and why
    /// not more. Errors as of [`Self::free`].
    ///
    /// # Safety
    ///
    /// Nobody uses the blocks any longer.
    pub(crate) unsafe fn free_batch(&self, blocks: &[*mut c_void]) -> (usize, io::Result<()>) {
        let mut done = 0;
        while done < blocks.len() {
            match NonNull::new(blocks[done].cast::<u8>()) {
                None => done += 1,
                // SAFETY: by the precondition.
                Some(block) if unsafe { self.cached_free(block) } => done += 1,
                Some(_) => {
                    let chunk = CHUNK.min(blocks.len() - done);
                    // SAFETY: by the precondition.
                    let (some, result) = unsafe { self.free_chunk(&blocks[done..done + chunk]) };
                    done += some;
                    if result.is_err() {
                        return (done, result);
                    }
                }
            }
        }
        (done, Ok(()))
    }

    /// # Safety
    ///
    /// As of [`Self::free_batch`].
    unsafe fn free_chunk(&self, blocks: &[*mut c_void]) -> (usize, io::Result<()>) {
        let mut done = 0;
        let mut run = || {
            self.process.check()?;
            if let (Some(managed), Some(first)) = (&self.managed, NonNull::new(blocks[0])) {
                // SAFETY: by the precondition.
                unsafe { managed.free(first.cast()) }?;
                done = 1;
                return Ok(());
            }
            let mut inner = self.inner.lock()?;
            for block in blocks {
                if let Some(block) = NonNull::new(block.cast::<u8>()) {
                    let (at, owner) = self.live(block)?;
                    self.guarding.check(&self.memory, at, owner)?;
                    inner.engine.free(at)?;
                }
                done += 1;
            }
            Ok(())
        };
        let result = run();
        (done, result)
    }
}
