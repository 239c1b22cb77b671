// SPDX-License-Identifier: MIT OR Apache-2.0

//! The heap of whoever created a partition, in its reserve.

use std::io;

use super::{error, Partition};
use crate::{abi, descriptor::Descriptor, heap::Heap, manager::Manager, mapping::Mapping};

/// Bytes at the end of a reserve in which its heap says how full it is; a cache line, so that
/// no block shares it.
const TOLD: usize = 64;

impl Partition {
    /// Allocates the whole reserve as one region and creates a heap in it. The heap tells how full it
    /// is if the descriptor has the right to say where.
    pub(crate) fn create_heap(
        file: &Descriptor,
        rights: u32,
        reserve: &Mapping,
        length: u64,
        manager: Option<&Manager>,
    ) -> io::Result<Heap> {
        if length == 0 {
            return Heap::none();
        }
        let offset = file.alloc_region(length)?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let start = reserve.at(offset, length).ok_or_else(|| error(libc::EIO))?;
        if let Some(manager) = manager {
            // SAFETY: as below; of the manager, by the precondition of `create_managed`.
            return unsafe { Heap::managed(manager, start, length) };
        }
        // SAFETY: a region of ours, mapped for as long as the partition exists.
        let heap = unsafe { Heap::new(start, length - TOLD) }?;
        let figures = offset + (length - TOLD) as u64;
        let tells = rights & abi::GENP_RIGHT_MANAGE != 0;
        if tells && file.tell_heap_at(figures).is_ok() {
            // SAFETY: the last bytes of the region, which is whole pages, so that they are
            // aligned. They stay as long as the heap.
            unsafe { heap.tell_at(start.add(length - TOLD).cast())? };
        }
        Ok(heap)
    }

    /// The bytes of a reserve of so many that its heap has.
    pub(super) fn heap_of(&self, bytes: u64) -> usize {
        match self.heap.is_managed() {
            true => bytes as usize,
            false => bytes as usize - TOLD,
        }
    }

    /// Tells at the end of so many bytes how full the heap is, if the kernel asks there. Other
    /// managers' heaps do not.
    pub(super) fn tell_at_end(&self, bytes: u64) -> io::Result<()> {
        if self.heap.is_managed() {
            return Ok(());
        }
        let at = bytes - TOLD as u64;
        let figures = self.reserve.at(at, TOLD).ok_or_else(|| error(libc::EIO))?;
        match self.file.tell_heap_at(at) {
            // SAFETY: behind the heap, aligned, and mapped for as long as the partition exists.
            Ok(()) => unsafe { self.heap.tell_at(figures.cast()) },
            Err(_) => self.heap.tell_nowhere(),
        }
    }
}
