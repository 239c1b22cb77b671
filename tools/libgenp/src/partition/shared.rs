// SPDX-License-Identifier: MIT OR Apache-2.0

//! A heap in the reserve that several processes share.

use std::{io, ptr::NonNull, sync::Arc};

use super::{error, making::Origin, Partition};
use crate::{
    abi,
    descriptor::Descriptor,
    heap::Heap,
    shared::{self, Regions, Reserve, Shared, SharedStat},
};

/// All of the reserve.
struct Whole<'a> {
    file: &'a Descriptor,
    length: u64,
}

impl Reserve for Whole<'_> {
    fn regions(&self) -> io::Result<Regions> {
        let stat = self.file.stat()?;
        Ok(match stat.regions {
            0 => Regions::None,
            1 if stat.used >= self.length => Regions::Whole,
            _ => Regions::Others,
        })
    }

    fn take(&self) -> io::Result<()> {
        self.file.alloc_region(self.length).map(drop)
    }
}

impl Partition {
    /// Creates a partition with a heap that other processes can share, who open the partition
    /// and call [`Self::share_heap`]. Its lock has priority inheritance if `inherits`: ENOTSUP
    /// if this system has none.
    pub fn create_shared(request: abi::genp_create, inherits: bool) -> io::Result<Self> {
        let file = Descriptor::create(request)?;
        let mut part = Self::with_heap(Origin::created(file), |_, _, _| Heap::none())?;
        // If that fails, nobody shall find the partition by its name.
        if let Err(error) = part.share(inherits) {
            let _ = part.descriptor().destroy();
            return Err(error);
        }
        Ok(part)
    }

    /// Shares the heap in a partition that was opened, or makes one there if its reserve is in
    /// no use: then all blocks of the heap can be used here. EBUSY if it has a heap here
    /// already; EAGAIN if another process is just beginning it, or uses the reserve for
    /// something else; EPROTONOSUPPORT if a program with another C library made it; EXDEV if a
    /// process of another namespace of process numbers made it, or if there is no /proc of the
    /// caller's; EUSERS if it has 63 members already; ENOMEM if the reserve is too small; ENOTSUP if this system
    /// has no priority inheritance; EACCES without the right to write, and to make one, that to
    /// allocate; ENOTRECOVERABLE; ECHILD.
    pub fn share_heap(&mut self, inherits: bool) -> io::Result<()> {
        self.process.check()?;
        match self.creator || self.shared.is_some() {
            true => Err(error(libc::EBUSY)),
            false => self.share(inherits),
        }
    }

    fn share(&mut self, inherits: bool) -> io::Result<()> {
        if self.rights & abi::GENP_RIGHT_WRITE == 0 {
            return Err(error(libc::EACCES));
        }
        let (start, length) = self.reserve()?;
        let reserve = Whole {
            file: &self.file,
            length: length as u64,
        };
        // SAFETY: mapped for as long as the partition exists, and longer than the heap. What
        // others write there, they promise to write by this library.
        let shared = Arc::new(unsafe {
            Shared::open(start, length, self.reserve_offset, inherits, &reserve)
        }?);
        let heap = Arc::into_raw(shared.clone()).cast_mut().cast();
        let heap = NonNull::new(heap).ok_or_else(|| error(libc::EIO))?;
        // SAFETY: the manager's own.
        self.heap = unsafe { Heap::begun(&shared::SHARED, heap, length) }?;
        self.shared = Some(shared);
        if self.rights & abi::GENP_RIGHT_MANAGE != 0 {
            // An older module does not ask.
            let _ = self.file.tell_heap_at(shared::FIGURES as u64);
        }
        Ok(())
    }

    /// The heap that it shares: EINVAL if it does not.
    fn sharing(&self) -> io::Result<&Shared> {
        self.shared.as_deref().ok_or_else(|| error(libc::EINVAL))
    }

    /// Makes a block of the shared heap the caller's, as if it had allocated it; from nobody or
    /// from another process, which may end then. EINVAL, ECHILD, ENOTRECOVERABLE, EDEADLK.
    pub fn own(&self, block: NonNull<u8>) -> io::Result<()> {
        self.sharing()?.give(block, true)
    }

    /// Makes a block of the shared heap nobody's: it stays when the caller ends. EINVAL, ECHILD,
    /// ENOTRECOVERABLE, EDEADLK.
    pub fn disown(&self, block: NonNull<u8>) -> io::Result<()> {
        self.sharing()?.give(block, false)
    }

    /// A slot of the shared heap that every process finds, empty at first. EINVAL, ECHILD.
    pub fn root(&self) -> io::Result<NonNull<u64>> {
        self.process.check()?;
        Ok(self.sharing()?.root())
    }

    /// Makes a block of the shared heap nobody's and writes its offset into a slot, a word in
    /// a block of the heap or [`Self::root`]. A process that dies did both or none. EBUSY if
    /// the slot is not empty; EINVAL, ECHILD, ENOTRECOVERABLE, EDEADLK.
    pub fn put(&self, block: NonNull<u8>, slot: NonNull<u64>) -> io::Result<()> {
        self.sharing()?.put(block, slot)
    }

    /// Empties a slot and makes its block the caller's, both or none. EAGAIN if it is empty;
    /// EINVAL, ECHILD, ENOTRECOVERABLE, EDEADLK.
    pub fn take(&self, slot: NonNull<u64>) -> io::Result<NonNull<u8>> {
        self.sharing()?.take(slot)
    }

    /// Frees the blocks of processes that ended, or that closed the partition: how many. EINVAL,
    /// ECHILD, ENOTRECOVERABLE, EDEADLK.
    pub fn free_dead(&self) -> io::Result<u64> {
        self.sharing()?.free_dead()
    }

    /// The state of the shared heap: EINVAL, ECHILD, ENOTRECOVERABLE, EDEADLK.
    pub fn shared_stat(&self) -> io::Result<SharedStat> {
        self.sharing()?.stat()
    }
}
