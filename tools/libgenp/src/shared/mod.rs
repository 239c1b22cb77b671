// SPDX-License-Identifier: MIT OR Apache-2.0

//! A heap that several processes share: all of it is in the reserve of a partition, its lock
//! too, and nothing there is an address. A process that dies in the middle of a call leaves
//! a record by which the next one undoes it; the blocks of a dead process can be told from
//! those of others. No thread keeps blocks of its own.

mod beginning;
mod engine;
mod identity;
mod lock;
mod manager;
mod members;
mod words;

use std::{io, ptr::NonNull};

pub(crate) use beginning::{Regions, Reserve};
use engine::Engine;
use identity::Identity;
use lock::{Guard, Lock};
pub(crate) use manager::SHARED;
use members::{MOST, NOBODY};
use words::{Checked, Damaged, Words, BROKEN, MAGIC, MAKING, PEAK, REPAIRS, ROOT, USED};

use crate::process::Process;

/// Where the kernel reads how full the heap is.
pub(crate) const FIGURES: usize = USED;

/// What must be the same in all programs: the version of the layout, and what the C library
/// makes of a mutex.
const OUR_SHAPE: u64 =
    2 | ((size_of::<libc::pthread_mutex_t>() as u64) << 8) | ((usize::BITS as u64) << 16);

/// The state of a shared heap: `struct genp_shared_stat` of `genp/shared.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedStat {
    /// Of this structure, in bytes.
    pub size: u32,
    /// Processes that have it open, or left blocks.
    pub members: u32,
    /// Bytes that it manages, headers included.
    pub bytes: u64,
    /// Bytes in blocks, headers included.
    pub used: u64,
    /// The most of `used` there ever was.
    pub used_peak: u64,
    /// The largest request that can be served.
    pub largest: u64,
    /// Blocks.
    pub blocks: u64,
    /// Of these, how many are the caller's.
    pub own_blocks: u64,
    /// Of these, how many are nobody's.
    pub unowned_blocks: u64,
    /// How often the call of a process that died in it was undone.
    pub repairs: u64,
}

/// Frees one after the other until there is none: how many. ENOTRECOVERABLE if there are more than
/// `most`: who is gone allocates no more, unless it lies.
fn until_none(most: usize, mut free_one: impl FnMut() -> io::Result<bool>) -> io::Result<u64> {
    for freed in 0..=most {
        if !free_one()? {
            return Ok(freed as u64);
        }
    }
    Err(Damaged.into())
}

/// A shared heap, as one process has it open.
pub(crate) struct Shared {
    words: Words,
    lock: Lock,
    member: usize,
    /// The offset of the memory in the partition's file.
    base: u64,
    process: Process,
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl From<Damaged> for io::Error {
    #[cold]
    fn from(_: Damaged) -> Self {
        error(libc::ENOTRECOVERABLE)
    }
}

impl Shared {
    /// Opens the heap in this memory. If there is none, the memory is taken out of `reserve`,
    /// and a heap is made: EAGAIN if another process is just beginning one. EPROTONOSUPPORT if
    /// programs that differ in their C library made it, EXDEV if it is of another namespace of
    /// process numbers or nobody tells of ours, EUSERS if it has as many members as there can
    /// be, ENOMEM for too little memory, ENOTSUP, ENOTRECOVERABLE.
    ///
    /// # Safety
    ///
    /// The memory is mapped for as long as the heap is used, on a page; what others write
    /// there, they write as this library does.
    pub(crate) unsafe fn open(
        start: NonNull<u8>,
        length: usize,
        base: u64,
        inherits: bool,
        reserve: &impl Reserve,
    ) -> io::Result<Self> {
        if length < Engine::LEAST {
            return Err(error(libc::ENOMEM));
        }
        // SAFETY: by the precondition.
        let words = unsafe { Words::new(start, length) };
        let mut heap = Self {
            words,
            lock: Lock::of(words),
            member: NOBODY,
            base,
            process: Process::current(),
        };
        let namespace = identity::namespace()?;
        heap.begin(inherits, namespace, reserve)?;
        heap.recognize(namespace)?;
        heap.enter()?;
        Ok(heap)
    }

    /// Becomes a member.
    fn enter(&mut self) -> io::Result<()> {
        let who = Identity::of_process();
        let mut found = self.change(|words| members::enter(words, who))?;
        if found.is_none() {
            self.free_dead()?;
            found = self.change(|words| members::enter(words, who))?;
        }
        self.member = found.ok_or_else(|| error(libc::EUSERS))?;
        Ok(())
    }

    /// Takes the lock, and puts in order what a dead holder left.
    fn locked(&self) -> io::Result<Guard> {
        let mut guard = self.lock.lock()?;
        if guard.inherited {
            self.repair()?;
            guard.repaired();
        }
        if self.words.read(BROKEN)? != 0 {
            return Err(Damaged.into());
        }
        Ok(guard)
    }

    /// Undoes the call of a process that died in it: at most 64 words. If that cannot be,
    /// nobody gets the lock again.
    #[cold]
    fn repair(&self) -> Checked<()> {
        let repaired = self.words.undo().and_then(|changed| {
            if self.words.read(MAGIC)? == MAKING {
                return self.finish();
            }
            let repairs = self.words.read(REPAIRS)?.wrapping_add(changed.into());
            self.words.put(REPAIRS, repairs)
        });
        if repaired.is_err() {
            self.words.put(BROKEN, 1)?;
        }
        repaired
    }

    /// Runs a change as a whole or not at all.
    fn change<T>(&self, run: impl FnOnce(Words) -> Checked<T>) -> io::Result<T> {
        let _guard = self.locked()?;
        let result = run(self.words);
        match &result {
            Ok(_) => self.words.commit()?,
            Err(Damaged) => drop(self.words.undo()?),
        }
        Ok(result?)
    }

    /// The same for the live block at an address: EINVAL if it is none.
    fn change_block<T>(
        &self,
        block: NonNull<u8>,
        run: impl FnOnce(Engine, usize) -> Checked<T>,
    ) -> io::Result<T> {
        let user = self.words.offset(block);
        let found = self.change(|words| {
            let engine = Engine(words);
            let at = engine.live(user)?;
            at.map(|at| run(engine, at)).transpose()
        })?;
        found.ok_or_else(|| error(libc::EINVAL))
    }

    /// Allocates: ENOMEM; EINVAL for an alignment of more than 4,096, which no other process
    /// would have; ENOTRECOVERABLE, EDEADLK.
    pub(crate) fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        if align > 4096 {
            return Err(error(libc::EINVAL));
        }
        let found = self.change(|words| Engine(words).alloc(size, align, self.member))?;
        let at = found.ok_or_else(|| error(libc::ENOMEM))?;
        Ok(self.words.address(at + engine::HEADER))
    }

    /// Frees a block, of whichever member: EINVAL, ENOTRECOVERABLE, EDEADLK.
    pub(crate) fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        self.change_block(block, Engine::free)
    }

    /// The bytes of a block.
    pub(crate) fn usable(&self, block: NonNull<u8>) -> io::Result<usize> {
        self.change_block(block, Engine::usable)
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> io::Result<usize> {
        Ok(self.change(|words| words.read(USED))? as usize)
    }

    /// Makes a block the caller's, or nobody's.
    pub(crate) fn give(&self, block: NonNull<u8>, own: bool) -> io::Result<()> {
        self.process.check()?;
        let member = if own { self.member } else { NOBODY };
        self.change_block(block, |engine, at| engine.give(at, member))
    }

    /// A slot that every process finds.
    pub(crate) fn root(&self) -> NonNull<u64> {
        self.words.address(ROOT).cast()
    }

    /// The offset of a slot: EINVAL if there can be none.
    fn slot(&self, slot: NonNull<u64>) -> io::Result<usize> {
        self.process.check()?;
        let at = self.words.offset(slot.cast());
        let known = Engine(self.words).is_slot(at).then_some(at);
        known.ok_or_else(|| error(libc::EINVAL))
    }

    /// Makes a block nobody's and writes where it is into a slot, both or none: EBUSY if
    /// there is a block in the slot.
    pub(crate) fn put(&self, block: NonNull<u8>, slot: NonNull<u64>) -> io::Result<()> {
        let (slot, user) = (self.slot(slot)?, self.words.offset(block));
        let put = self.change_block(block, |engine, at| {
            if self.words.read(slot)? != 0 {
                return Ok(false);
            }
            engine.give(at, NOBODY)?;
            self.words.set(slot, self.base + user as u64)?;
            Ok(true)
        })?;
        put.then_some(()).ok_or_else(|| error(libc::EBUSY))
    }

    /// Empties a slot and makes the block that was in it the caller's, both or none: EAGAIN if
    /// there is none, EINVAL if what is there is no block.
    pub(crate) fn take(&self, slot: NonNull<u64>) -> io::Result<NonNull<u8>> {
        let slot = self.slot(slot)?;
        let taken = self.change(|words| {
            let offset = words.read(slot)?;
            let user = usize::try_from(offset.wrapping_sub(self.base)).unwrap_or(0);
            let engine = Engine(words);
            if let (true, Some(at)) = (offset != 0, engine.live(user)?) {
                engine.give(at, self.member)?;
                words.set(slot, 0)?;
                return Ok(Ok(words.address(user)));
            }
            Ok(Err(if offset == 0 {
                libc::EAGAIN
            } else {
                libc::EINVAL
            }))
        })?;
        taken.map_err(error)
    }

    /// Frees the blocks of processes that ended or closed the heap, each of them in a call of
    /// its own: how many.
    pub(crate) fn free_dead(&self) -> io::Result<u64> {
        self.process.check()?;
        let (mut freed, most) = (0, self.words.length() / engine::SMALLEST);
        for member in NOBODY + 1..MOST {
            let who = members::identity(self.words, member)?;
            if let Some(gone) = who.filter(|who| member != self.member && who.is_gone()) {
                freed += until_none(most, || self.free_one(member, gone))?;
            }
        }
        Ok(freed)
    }

    /// Frees a block of a member that is gone: false if there was none; then its place is
    /// free.
    fn free_one(&self, member: usize, gone: Identity) -> io::Result<bool> {
        self.change(|words| {
            // Another process may have been faster.
            if members::identity(words, member)? != Some(gone) {
                return Ok(false);
            }
            match members::first(words, member)? {
                0 => members::leave(words, member).map(|()| false),
                at => Engine(words).free(at).map(|()| true),
            }
        })
    }

    /// The state of the heap.
    pub(crate) fn stat(&self) -> io::Result<SharedStat> {
        self.process.check()?;
        self.change(|words| {
            let mut stat = SharedStat {
                size: size_of::<SharedStat>() as u32,
                bytes: (words.length() - words::FIRST) as u64,
                used: words.read(USED)?,
                used_peak: words.read(PEAK)?,
                largest: Engine(words).largest()? as u64,
                own_blocks: members::blocks(words, self.member)?,
                unowned_blocks: members::blocks(words, NOBODY)?,
                repairs: words.read(REPAIRS)?,
                ..Default::default()
            };
            for member in 0..MOST {
                stat.blocks = stat.blocks.wrapping_add(members::blocks(words, member)?);
                stat.members += u32::from(members::identity(words, member)?.is_some());
            }
            Ok(stat)
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A child has neither the memory nor a place. If the heap is broken, nobody needs one.
        if self.process.is_current() && self.member != NOBODY {
            let _ = self.change(|words| members::leave(words, self.member));
        }
    }
}

#[cfg(test)]
mod tests;
