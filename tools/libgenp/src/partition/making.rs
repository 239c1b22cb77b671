// SPDX-License-Identifier: MIT OR Apache-2.0

//! How a descriptor becomes a partition of this process: what its rights allow is mapped.

use std::{io, os::fd::AsFd};

use super::{pieces::Pieces, Partition, LEASES};
use crate::{
    abi,
    descriptor::Descriptor,
    heap::Heap,
    lock::PiMutex,
    manager::Manager,
    mapping::{Mapping, BOTH},
    process::Process,
};

/// What a heap in the reserve needs.
const HEAP: u32 = abi::GENP_RIGHT_WRITE | abi::GENP_RIGHT_ALLOC;

/// A descriptor, and how it came to this process.
pub(super) struct Origin {
    pub(super) file: Descriptor,
    /// Whether the heap in the reserve is to be made here.
    creator: bool,
    /// What the descriptor may be used for.
    rights: u32,
}

impl Origin {
    /// It was created here.
    pub(super) fn created(file: Descriptor) -> Self {
        Self {
            file,
            creator: true,
            rights: abi::GENP_RIGHTS_ALL,
        }
    }

    /// It was opened with these rights.
    pub(super) fn opened(file: Descriptor, rights: u32) -> Self {
        Self {
            file,
            creator: false,
            rights,
        }
    }

    /// It came from another process. Without /proc it is taken for one with all rights: what it
    /// has not, the kernel refuses.
    pub(super) fn handed_over(file: Descriptor, creator: bool) -> Self {
        let rights = file.rights().unwrap_or(abi::GENP_RIGHTS_ALL);
        Self {
            file,
            creator,
            rights,
        }
    }

    /// How its windows can be mapped.
    fn access(&self) -> i32 {
        match self.rights & abi::GENP_RIGHT_WRITE {
            0 => libc::PROT_READ,
            _ => BOTH,
        }
    }
}

impl Partition {
    /// A partition with the usual heap, if it is to be made here and can be.
    pub(super) fn new(origin: Origin, manager: Option<&Manager>) -> io::Result<Self> {
        let makes = origin.creator && origin.rights & HEAP == HEAP;
        let rights = origin.rights;
        Self::with_heap(origin, |file, reserve, length| {
            Self::create_heap(
                file,
                rights,
                reserve,
                if makes { length } else { 0 },
                manager,
            )
        })
    }

    /// A partition with the heap that `make` makes of its reserve.
    pub(super) fn with_heap(
        origin: Origin,
        make: impl FnOnce(&Descriptor, &Mapping, u64) -> io::Result<Heap>,
    ) -> io::Result<Self> {
        let w = origin.file.stat()?.windows;
        let file = origin.file.as_fd();
        let reserve = Mapping::new(file, w.reserve_offset, w.reserve_length, origin.access())?;
        Self::with_mapping(origin, reserve, make)
    }

    /// The same with a mapping of its reserve.
    pub(super) fn with_mapping(
        origin: Origin,
        reserve: Mapping,
        make: impl FnOnce(&Descriptor, &Mapping, u64) -> io::Result<Heap>,
    ) -> io::Result<Self> {
        let w = origin.file.stat()?.windows;
        // To ask for a mapping without the right to it would count as a misuse.
        let leases = match origin.rights & abi::GENP_RIGHT_BORROW {
            0 => 0,
            _ => w.lease_length,
        };
        let file = origin.file.as_fd();
        let window = Mapping::new(file, w.lease_offset, leases, origin.access())?;
        let heap = make(&origin.file, &reserve, w.reserve_length)?;
        Ok(Self {
            heap,
            shared: None,
            reserve,
            window,
            reserve_offset: w.reserve_offset,
            window_offset: w.lease_offset,
            leases: PiMutex::new([None; LEASES]),
            pieces: PiMutex::new(Pieces::of(w.reserve_length)),
            file: origin.file,
            creator: origin.creator,
            rights: origin.rights,
            process: Process::current(),
        })
    }
}
