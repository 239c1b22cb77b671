// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where the memory of a partition is, and what its blocks have.

use std::{io, ptr::NonNull};

use super::{error, Partition};
use crate::heap::{ClassStat, HeapStat};

impl Partition {
    /// The mapped reserve, and its bytes: ENOMEM if it has none; ECHILD.
    pub fn reserve(&self) -> io::Result<(NonNull<u8>, usize)> {
        self.process.check()?;
        let length = self.reserve.length();
        let start = self.reserve.at(0, length);
        Ok((start.ok_or_else(|| error(libc::ENOMEM))?, length))
    }

    /// The offset of an address in the partition's file, for others who have mapped it:
    /// EINVAL if the address is not in a mapping of it; ECHILD.
    pub fn offset_of(&self, address: *const u8) -> io::Result<u64> {
        self.process.check()?;
        if let Some(offset) = self.reserve.offset_of(address) {
            return Ok(self.reserve_offset + offset);
        }
        let offset = self.window.offset_of(address);
        Ok(self.window_offset + offset.ok_or_else(|| error(libc::EINVAL))?)
    }

    /// Whether an address lies in a mapping of this partition.
    pub fn has(&self, address: *const u8) -> bool {
        self.reserve.offset_of(address).is_some() || self.window.offset_of(address).is_some()
    }

    /// The address of `length` bytes at an offset of the partition's file: EINVAL if they are
    /// not in a mapping of it; ECHILD.
    pub fn at(&self, offset: u64, length: usize) -> io::Result<NonNull<u8>> {
        self.process.check()?;
        let mappings = [
            (&self.reserve, self.reserve_offset),
            (&self.window, self.window_offset),
        ];
        mappings
            .iter()
            .find_map(|(mapping, start)| mapping.at(offset.checked_sub(*start)?, length))
            .ok_or_else(|| error(libc::EINVAL))
    }

    /// Bytes that a live block has, at least as many as were asked for: all of them may be
    /// used. EINVAL, ECHILD.
    pub fn usable(&self, block: NonNull<u8>) -> io::Result<usize> {
        self.heap.usable(block)
    }

    /// Changes the size of a block where it is: ENOMEM if there is no room behind it, EINVAL,
    /// ECHILD, EDEADLK, ENOTRECOVERABLE, and then it is as it was. Making it smaller
    /// succeeds.
    pub fn realloc_in_place(&self, block: NonNull<u8>, size: usize) -> io::Result<()> {
        self.heap.realloc_in_place(block, size)
    }

    /// Frees all blocks; none of them is one any longer. The number of steps does not depend
    /// on that of blocks. ECHILD, EDEADLK.
    pub fn free_all(&mut self) -> io::Result<()> {
        // SAFETY: nobody else has the partition, and what was borrowed of it with a lifetime
        // is gone.
        unsafe { self.heap.free_all() }
    }

    /// The state of the heap: ECHILD, EDEADLK. With `reset` its peak begins anew then.
    pub fn heap_stat(&self, reset: bool) -> io::Result<HeapStat> {
        self.heap.stat(reset)
    }

    /// The state of a class of blocks, from 0 to [`HeapStat::classes`] exclusively: EINVAL,
    /// ECHILD, EDEADLK.
    pub fn class_stat(&self, class: usize) -> io::Result<ClassStat> {
        self.heap.class_stat(class)
    }
}
