// SPDX-License-Identifier: MIT OR Apache-2.0

//! How a shared heap begins in a reserve that nobody uses. The kernel gives the reserve, as one
//! region, to one process; before it asks for that, it says in the first word who it is. So of a
//! process that dies at any moment there is a word by which the next one knows whose the region
//! was.
//!
//! ```text
//!   the first word     the region
//!   anything           none         nobody uses the reserve
//!   a claim            none, all    a process is making the heap, or has died of it
//!   MAKING             all          the lock is there; it is held, or its holder is dead
//!   MADE               all          a heap
//! ```
//!
//! A region that is there without a claim is a stranger's. If one comes between the look at the
//! regions and the claim, its first word was changed, and is changed back unless it was written
//! to.

use std::io;

use super::{
    engine::Engine,
    error,
    identity::Claim,
    words::{Checked, FIRST, LENGTH, MADE, MAGIC, MAKING, NAMESPACE, SECRET, SHAPE},
    Damaged, Shared, OUR_SHAPE,
};
use crate::system;

/// What is in the reserve, as the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Regions {
    None,
    /// A single one, of all of it.
    Whole,
    Others,
}

/// The memory that a heap is made in.
pub(crate) trait Reserve {
    fn regions(&self) -> io::Result<Regions>;

    /// Makes one region of all of it: ENOMEM if there is one already.
    fn take(&self) -> io::Result<()>;
}

impl Shared {
    fn is_begun(&self) -> Checked<bool> {
        Ok(matches!(self.words.read(MAGIC)?, MADE | MAKING))
    }

    /// Sees to it that there is a heap, or one in the making that others can end. EAGAIN if
    /// another process is just beginning one, or uses the reserve.
    pub(super) fn begin(
        &self,
        inherits: bool,
        namespace: u64,
        reserve: &impl Reserve,
    ) -> io::Result<()> {
        if self.is_begun()? {
            return Ok(());
        }
        let found = self.words.read(MAGIC)?;
        let regions = reserve.regions()?;
        let left = match (Claim(found).is_left(namespace), regions) {
            (Some(false), _) | (_, Regions::Others) | (None, Regions::Whole) => {
                return self
                    .is_begun()?
                    .then_some(())
                    .ok_or_else(|| error(libc::EAGAIN));
            }
            (Some(true), Regions::Whole) => true,
            (_, Regions::None) => false,
        };
        let claim = Claim::of_process(namespace).0;
        if !self.words.exchange(MAGIC, found, claim)? {
            return self
                .is_begun()?
                .then_some(())
                .ok_or_else(|| error(libc::EAGAIN));
        }
        if !left {
            if let Err(refusal) = reserve.take() {
                self.words.exchange(MAGIC, claim, found)?;
                return match refusal.raw_os_error() {
                    Some(libc::ENOMEM) => Err(error(libc::EAGAIN)),
                    _ => Err(refusal),
                };
            }
            // Whose it is, whoever claimed it in between in vain.
            self.words.put(MAGIC, claim)?;
        }
        self.make(inherits, namespace).inspect_err(|_| {
            // Others may try: by another protocol of the lock, for one.
            let _ = self
                .words
                .exchange(MAGIC, claim, Claim::nobodys(namespace).0);
        })
    }

    /// Makes a heap of memory that is reserved. Others wait for the lock from the moment that
    /// they can know of it.
    fn make(&self, inherits: bool, namespace: u64) -> io::Result<()> {
        // Not the random bytes that the kernel gave the process: the C library guards its stacks
        // with them, and all who share the heap can read this.
        let secret = system::random()?;
        // What the memory was used for before, or was begun here.
        for at in (MAGIC + 8..FIRST).step_by(8) {
            self.words.clear(at)?;
        }
        self.lock.make(inherits)?;
        let guard = self.lock.lock()?;
        self.words.put(SHAPE, OUR_SHAPE)?;
        self.words.put(LENGTH, self.words.length() as u64)?;
        self.words.put(NAMESPACE, namespace)?;
        self.words.put(SECRET, secret)?;
        self.words.put(MAGIC, MAKING)?;
        self.finish()?;
        drop(guard);
        Ok(())
    }

    /// Ends what [`Self::make`] began, whoever began it. Under the lock.
    pub(super) fn finish(&self) -> Checked<()> {
        Engine(self.words).make()?;
        // Part of the change: what is made is never made again.
        self.words.set(MAGIC, MADE)?;
        self.words.commit()
    }

    /// Whether the heap that is there can be used here.
    pub(super) fn recognize(&self, namespace: u64) -> io::Result<()> {
        let same = self.words.read(LENGTH)? == self.words.length() as u64;
        let ours = self.words.read(NAMESPACE)? == namespace;
        match (
            self.is_begun()? && same,
            self.words.read(SHAPE)? == OUR_SHAPE,
        ) {
            (true, true) if !ours => Err(error(libc::EXDEV)),
            (true, true) => Ok(()),
            (true, false) => Err(error(libc::EPROTONOSUPPORT)),
            _ => Err(Damaged.into()),
        }
    }
}
