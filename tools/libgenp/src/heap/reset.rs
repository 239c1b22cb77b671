// SPDX-License-Identifier: MIT OR Apache-2.0

//! Frees all blocks at once.

use std::io;

use super::{engine::Engine, error, grants::Grants, Heap};

impl Heap {
    /// Frees all blocks: ECHILD, EDEADLK. None of them is a block from here on, so that
    /// freeing one is EINVAL. The number of steps does not depend on that of blocks.
    ///
    /// # Safety
    ///
    /// Nobody uses a block any longer, and nobody else uses the heap meanwhile.
    pub(crate) unsafe fn free_all(&self) -> io::Result<()> {
        self.process.check()?;
        if let Some(managed) = &self.managed {
            // SAFETY: by the precondition.
            return unsafe { managed.free_all() };
        }
        let mut inner = self.inner.lock()?;
        for place in inner.grants.places() {
            self.cache.set_limit(place, 0);
            let _ = self.cache.take(place);
        }
        // SAFETY: by the precondition.
        unsafe { self.memory.reseal() };
        let cached = match self.guarding.is_on() {
            true => 0,
            false => self.memory.end(),
        };
        let mut engine = Engine::new(self.memory.same()).map_err(|_| error(libc::EIO))?;
        engine.succeed(&inner.engine);
        inner.engine = engine;
        inner.grants = Grants::new(cached);
        Ok(())
    }
}
