// SPDX-License-Identifier: MIT OR Apache-2.0

//! A partition whose reserve, and the heap in it, become larger and smaller while they are used.
//!
//! What a call did not come to do in the kernel, the next one does first.

use std::{io, os::fd::AsFd};

use super::{
    error,
    making::Origin,
    pieces::{Piece, Pieces},
    Partition,
};
use crate::{abi, descriptor::Descriptor, manager::Manager, mapping::Mapping, system::page_size};

impl Partition {
    /// Creates a partition as requested, whose reserve can become larger, up to `most` bytes:
    /// so many addresses are set aside. EINVAL if it has no reserve, E2BIG if that is larger.
    pub fn create_resizable(request: abi::genp_create, most: usize) -> io::Result<Self> {
        Self::resizable(request, None, most)
    }

    /// The same with another heap manager, as of [`Self::create_managed`].
    ///
    /// # Safety
    ///
    /// As of [`Self::create_managed`].
    pub unsafe fn create_managed_resizable(
        request: abi::genp_create,
        manager: &Manager,
        most: usize,
    ) -> io::Result<Self> {
        Self::resizable(request, Some(manager), most)
    }

    fn resizable(
        request: abi::genp_create,
        manager: Option<&Manager>,
        most: usize,
    ) -> io::Result<Self> {
        let most = most.checked_next_multiple_of(page_size());
        let most = most.ok_or_else(|| error(libc::E2BIG))?;
        let file = Descriptor::create(request)?;
        let w = file.stat()?.windows;
        let reserve = Mapping::with_room(file.as_fd(), w.reserve_offset, w.reserve_length, most)?;
        Self::with_mapping(Origin::created(file), reserve, |file, reserve, length| {
            Self::create_heap(file, abi::GENP_RIGHTS_ALL, reserve, length, manager)
        })
    }

    /// Makes the reserve, and the heap in it, `bytes` large, rounded up to whole pages. Blocks stay where they
    /// are. More: E2BIG beyond what was set aside, ENOMEM if 31 pieces were added, EBUSY if another
    /// process has a region where the heap would go on, and errors of `GENP_RESIZE` and of
    /// mmap(). Less: EINVAL if `bytes` is not where a piece ends, EBUSY if a block lies beyond.
    /// In either case EOPNOTSUPP if the partition was not made by [`Self::create_resizable`] or
    /// [`Self::create_managed_resizable`], or if its manager cannot do it; ECHILD, EDEADLK, ENOTRECOVERABLE.
    ///
    /// Of a call that failed, the heap has what it had, or what was asked for.
    pub fn resize(&self, bytes: usize) -> io::Result<()> {
        self.process.check()?;
        if !self.reserve.can_grow() {
            return Err(error(libc::EOPNOTSUPP));
        }
        let bytes = bytes.checked_next_multiple_of(page_size());
        let bytes = bytes.ok_or_else(|| error(libc::E2BIG))? as u64;
        let mut pieces = self.pieces.lock()?;
        if bytes < pieces.bytes {
            self.shrink(&mut pieces, bytes)?;
        }
        self.settle(&mut pieces)?;
        match bytes > pieces.bytes {
            true => self.grow(&mut pieces, bytes),
            false => Ok(()),
        }
    }

    /// Takes memory from the heap.
    fn shrink(&self, pieces: &mut Pieces, bytes: u64) -> io::Result<()> {
        if !pieces.begin_at(bytes) {
            return Err(error(libc::EINVAL));
        }
        self.heap.cut(self.heap_of(bytes))?;
        pieces.bytes = bytes;
        self.tell_at_end(bytes)
    }

    /// Gives the kernel back what the heap does not have.
    fn settle(&self, pieces: &mut Pieces) -> io::Result<()> {
        if self.reserve.length() as u64 > pieces.bytes {
            self.reserve.withdraw(pieces.bytes as usize)?;
        }
        while let Some(piece) = pieces.last_behind(pieces.bytes) {
            match self.file.free_region(piece.handle) {
                Err(error) if error.raw_os_error() != Some(libc::ESTALE) => return Err(error),
                _ => pieces.count -= 1,
            }
        }
        self.set_reserve(pieces.bytes)
    }

    /// Gives the heap memory.
    fn grow(&self, pieces: &mut Pieces, bytes: u64) -> io::Result<()> {
        if bytes > self.reserve.room() as u64 {
            return Err(error(libc::E2BIG));
        }
        let added = self.add(pieces, bytes);
        if added.is_err() {
            // What cannot be undone now is undone by the next call.
            let _ = self.settle(pieces);
        }
        added
    }

    fn add(&self, pieces: &mut Pieces, bytes: u64) -> io::Result<()> {
        let old = pieces.bytes;
        self.set_reserve(bytes)?;
        let (start, handle) = self.file.take_region(bytes - old)?;
        let noted = match start == old {
            true => pieces.push(Piece { start, handle }),
            false => Err(error(libc::EBUSY)),
        };
        if noted.is_err() {
            let _ = self.file.free_region(handle);
            return noted;
        }
        self.reserve
            .extend(self.file.as_fd(), self.reserve_offset, bytes as usize)?;
        // Else a block could lie where it is told.
        self.tell_at_end(bytes)?;
        // SAFETY: a region of ours behind the others, mapped for as long as the partition exists.
        if let Err(error) = unsafe { self.heap.extend(self.heap_of(bytes)) } {
            let _ = self.tell_at_end(old);
            return Err(error);
        }
        pieces.bytes = bytes;
        Ok(())
    }

    /// Makes the reserve so large, if it is not.
    fn set_reserve(&self, bytes: u64) -> io::Result<()> {
        let stat = self.file.stat()?;
        match stat.reserve == bytes {
            true => Ok(()),
            false => self.file.resize(bytes, stat.borrow_limit),
        }
    }
}
